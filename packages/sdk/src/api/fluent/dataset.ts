// Samples in memory, and batches of them.

import type { TypedTensor } from "../../binding.js";
import { StepwellError } from "../../errors.js";
import { Handle, type TensorHandle } from "../../handle.js";
import type { TensorData } from "../../types/tensor-data.js";
import { refuse } from "../../values/refuse.js";
import { free } from "../functions/objects.js";
import { data as read, tensor } from "../functions/tensors.js";
import type { FitData } from "./fit-types.js";
import { toHandle } from "./held.js";

/** The inputs or the targets of samples, along dimension 0. */
export interface Column extends TypedTensor {
  /** Whether they were given as plain numbers, whose type the module or the loss decides. */
  readonly plain: boolean;
}

/** Inputs with a target for each. */
export interface Dataset {
  readonly inputs: Column;
  readonly targets: Column;
  readonly count: number;
}

/** Reads data at once, so that later changes of the tensors of the caller have no effect. */
export function readDataset(where: string, data: FitData): Dataset {
  if (typeof data !== "object" || data === null || Array.isArray(data)) refuse(where, "inputs and targets", data);
  const { inputs: givenInputs, targets: givenTargets, ...others } = data;
  for (const [name, column] of Object.entries({ inputs: givenInputs, targets: givenTargets })) {
    if (column === undefined || column === null) refuse(where, `inputs and targets, with ${name}`, column);
  }
  const [more] = Object.keys(others);
  if (more !== undefined) refuse(where, "inputs and targets and no more", more);
  const inputs = columnOf(toHandle(givenInputs));
  const targets = columnOf(toHandle(givenTargets));
  const count = inputs.shape[0] ?? 0;
  if (count > 0 && count === targets.shape[0]) return { inputs, targets, count };
  const [given, other] = [inputs, targets].map(({ shape }) => JSON.stringify(shape));
  const message = `${where}: expected as many targets as inputs and at least one, given inputs ${given} and targets ${other}`;
  throw new StepwellError("ERR_SHAPE", message);
}

function columnOf(data: TensorHandle | TensorData): Column {
  if (data instanceof Handle) return { ...read(data), plain: false };
  const made = tensor(data);
  try {
    return { ...read(made), plain: true };
  } finally {
    free(made);
  }
}

/** The indices of samples in their order. */
export const inOrder = (count: number) => Float64Array.from({ length: count }, (_, index) => index);

/** A batch of at most `size` samples, whose indices stand at `from` in an order. */
export function batchOf(dataset: Dataset, order: Float64Array, from: number, size: number): Dataset {
  const chosen = order.subarray(from, from + size);
  return { inputs: pick(dataset.inputs, chosen), targets: pick(dataset.targets, chosen), count: chosen.length };
}

function pick({ data, shape, plain }: Column, order: Float64Array): Column {
  const width = data.length / (shape[0] ?? 1);
  const picked = data.slice(0, order.length * width);
  order.forEach((row, i) => {
    picked.set(data.subarray(row * width, (row + 1) * width) as never, i * width);
  });
  return { data: picked, shape: [order.length, ...shape.slice(1)], plain };
}
