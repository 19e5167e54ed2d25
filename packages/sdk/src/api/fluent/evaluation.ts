// What a training and a measurement have in common: batches as tensors, and figures.

import type { Api, Target } from "../api.js";
import type { LossName } from "../arguments.js";
import { nested, type TensorData } from "../arrays.js";
import type { ModuleHandle, OptimizerHandle, TensorHandle } from "../handle.js";
import type { Figures } from "./fit.js";
import { batchOf, type Column, countClasses, countRight, inOrder, type Rows } from "./rows.js";

/** What is trained, with what. */
export interface Trained {
  readonly api: Api;
  readonly module: ModuleHandle;
  readonly loss: LossName;
  readonly optimizer: OptimizerHandle;
}

/** Sums over rows, which become figures. */
export interface Sums {
  loss: number;
  right: number;
  /** Rows, or the classes that count. */
  rows: number;
}

/** Measures a module in use; stops after each batch. */
export function* measuring(trained: Trained, data: Rows, size: number): Generator<void, Figures, undefined> {
  const { api, module, loss } = trained;
  const sums = { loss: 0, right: 0, rows: 0 };
  const order = inOrder(data.count);
  for (let from = 0; from < data.count; from += size) {
    const batch = batchOf(data, order, from, size);
    withTensors(trained, batch, (input, target) => {
      const output = api.evaluate(module, input);
      try {
        add(trained, sums, batch, output, api.take(api[loss](output, target)) as number);
      } finally {
        api.free(output);
      }
    });
    yield;
  }
  return figuresOf(trained, data, sums);
}

/** Calls with the inputs and targets of a batch: what was given as tensors as tensors, which are then freed. */
export function withTensors<Result>(
  { api, module }: Trained,
  { inputs, targets }: Rows,
  call: (input: TensorHandle | TensorData, target: Target) => Result,
): Result {
  const made: TensorHandle[] = [];
  const argument = (column: Column) => {
    // Plain numbers become what the module or the loss needs.
    if (column.plain) return nested(column);
    const handle = api.tensor(column.data, { shape: column.shape, device: deviceOf(api, module) });
    made.push(handle);
    return handle;
  };
  try {
    return call(argument(inputs), argument(targets));
  } finally {
    for (const handle of made) api.free(handle);
  }
}

function deviceOf(api: Api, module: ModuleHandle) {
  const [name] = api.parmnames(module);
  if (name === undefined) return "cpu";
  const parameter = api.parm(module, name);
  try {
    return api.device(parameter);
  } finally {
    api.free(parameter);
  }
}

/** Adds what a batch came to. */
export function add({ api, loss }: Trained, sums: Sums, batch: Rows, output: TensorHandle, value: number): void {
  const ofClasses = (loss === "ce" || loss === "nll") && String(api.size(output)) !== String(batch.targets.shape);
  const counted = ofClasses ? countClasses(batch.targets) : batch.count;
  sums.loss += value * counted;
  sums.rows += counted;
  if (hasClasses(loss, batch)) sums.right += countRight(api.data(output), batch.targets);
}

/** The figures of all rows. */
export function figuresOf({ loss }: Trained, data: Rows, { loss: sum, right, rows }: Sums): Figures {
  // The mean of no losses is 0, as it is for each batch.
  const figures = { loss: rows > 0 ? sum / rows : 0 };
  return hasClasses(loss, data) ? { ...figures, accuracy: right / rows } : figures;
}

const hasClasses = (loss: LossName, { targets }: Rows) =>
  (loss === "ce" || loss === "nll") && targets.shape.length === 1;
