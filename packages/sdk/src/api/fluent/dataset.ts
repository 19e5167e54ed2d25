// Data in memory, row by row.

import type { Api } from "../api.js";
import type { TensorData } from "../arrays.js";
import type { TypedTensor } from "../binding.js";
import { StepwellError } from "../errors.js";
import { Handle, type TensorHandle } from "../handle.js";
import type { FitData } from "./fit.js";
import { unheld } from "./held.js";
import { refuse } from "./refuse.js";

/** The inputs or the targets. */
export interface Column extends TypedTensor {
  /** Whether they were given as plain numbers, whose type is open. */
  readonly plain: boolean;
}

/** Inputs with a target for each. */
export interface Rows {
  readonly inputs: Column;
  readonly targets: Column;
  readonly count: number;
}

/** Reads data once, so that what becomes of the caller's tensors later makes no difference. */
export function rowsOf(api: Api, where: string, data: FitData): Rows {
  if (typeof data !== "object" || data === null || Array.isArray(data)) refuse(where, "inputs and targets", data);
  const { inputs: givenInputs, targets: givenTargets, ...others } = data;
  for (const [name, column] of Object.entries({ inputs: givenInputs, targets: givenTargets })) {
    if (column === undefined || column === null) refuse(where, `inputs and targets, with ${name}`, column);
  }
  const [more] = Object.keys(others);
  if (more !== undefined) refuse(where, "inputs and targets and no more", more);
  const inputs = columnOf(api, unheld(givenInputs));
  const targets = columnOf(api, unheld(givenTargets));
  const count = inputs.shape[0] ?? 0;
  if (count > 0 && count === targets.shape[0]) return { inputs, targets, count };
  const [given, other] = [inputs, targets].map(({ shape }) => JSON.stringify(shape));
  const message = `${where}: expected as many targets as inputs and at least one, given inputs ${given} and targets ${other}`;
  throw new StepwellError("ERR_SHAPE", message);
}

function columnOf(api: Api, data: TensorHandle | TensorData): Column {
  if (data instanceof Handle) return { ...api.data(data), plain: false };
  const tensor = api.tensor(data);
  try {
    return { ...api.data(tensor), plain: true };
  } finally {
    api.free(tensor);
  }
}

/** The numbers of the rows. */
export const inOrder = (count: number) => Float64Array.from({ length: count }, (_, index) => index);

/** The rows from one on, in some order, as far as a batch goes. */
export function batchOf(rows: Rows, order: Float64Array, from: number, size: number): Rows {
  const chosen = order.subarray(from, from + size);
  return { inputs: pick(rows.inputs, chosen), targets: pick(rows.targets, chosen), count: chosen.length };
}

function pick({ data, shape, plain }: Column, order: Float64Array): Column {
  const width = data.length / (shape[0] ?? 1);
  const picked = data.slice(0, order.length * width);
  order.forEach((row, i) => {
    picked.set(data.subarray(row * width, (row + 1) * width) as never, i * width);
  });
  return { data: picked, shape: [order.length, ...shape.slice(1)], plain };
}

/** How many classes count: all but -100, which the losses ignore. */
export function countClasses(classes: TypedTensor): number {
  let counted = 0;
  for (const item of classes.data) if (Number(item) !== -100) counted += 1;
  return counted;
}

/** How many rows of scores are largest at the class of the row. One with a score that is not a number is largest nowhere. */
export function countRight(scores: TypedTensor, classes: TypedTensor): number {
  const width = scores.shape[1] ?? 0;
  const largest = (row: number) => {
    let best = 0;
    for (let i = 0; i < width; i++) {
      const score = Number(scores.data[row * width + i]);
      if (Number.isNaN(score)) return undefined;
      if (score > Number(scores.data[row * width + best])) best = i;
    }
    return best;
  };
  let right = 0;
  for (let row = 0; row < classes.data.length; row++) {
    if (largest(row) === Number(classes.data[row])) right += 1;
  }
  return right;
}
