// Evaluates a model on data, and sums the loss and the accuracy of batches.

import type { ModuleHandle, OptimizerHandle, TensorHandle } from "../../handle.js";
import type { LossName, Target } from "../../types/arguments.js";
import type { TensorData } from "../../types/tensor-data.js";
import { nested } from "../../values/numbers.js";
import { client } from "../client.js";
import { evaluate, parm, parmnames } from "../functions/modules.js";
import { free, size as sizeOf } from "../functions/objects.js";
import { device, data as read, take, tensor } from "../functions/tensors.js";
import { batchOf, type Column, type Dataset, inOrder } from "./dataset.js";
import type { Figures } from "./fit-types.js";
import { countClasses, countRight } from "./metrics.js";

/** The module, the loss and the optimizer of a training. */
export interface TrainingContext {
  readonly module: ModuleHandle;
  readonly loss: LossName;
  readonly optimizer: OptimizerHandle;
}

/** Sums over samples, from which the figures are computed. */
export interface MetricSums {
  loss: number;
  right: number;
  /** Number of samples, or of the classes that count. */
  count: number;
}

/** Evaluates a module in use; yields after each batch. */
export function* evaluation(
  context: TrainingContext,
  data: Dataset,
  size: number,
): Generator<void, Figures, undefined> {
  const { module, loss } = context;
  const sums = { loss: 0, right: 0, count: 0 };
  const order = inOrder(data.count);
  for (let from = 0; from < data.count; from += size) {
    const batch = batchOf(data, order, from, size);
    withTensors(context, batch, (input, target) => {
      const output = evaluate(module, input);
      try {
        add(context, sums, batch, output, take(applyLoss(loss, output, target)) as number);
      } finally {
        free(output);
      }
    });
    yield;
  }
  return figuresOf(context, data, sums);
}

/** Applies the loss of a name. */
export function applyLoss(name: LossName, output: TensorHandle, target: Target): TensorHandle {
  return client.call(name, [output, target]) as TensorHandle;
}

/** Calls a function with the inputs and targets of a batch. Data that was given as tensors becomes tensors, which are then freed. */
export function withTensors<Result>(
  { module }: TrainingContext,
  { inputs, targets }: Dataset,
  call: (input: TensorHandle | TensorData, target: Target) => Result,
): Result {
  const made: TensorHandle[] = [];
  const argument = (column: Column) => {
    // The module or the loss converts plain numbers to the type that it needs.
    if (column.plain) return nested(column);
    const handle = tensor(column.data, { shape: column.shape, device: deviceOf(module) });
    made.push(handle);
    return handle;
  };
  try {
    return call(argument(inputs), argument(targets));
  } finally {
    for (const handle of made) free(handle);
  }
}

function deviceOf(module: ModuleHandle) {
  const [name] = parmnames(module);
  if (name === undefined) return "cpu";
  const parameter = parm(module, name);
  try {
    return device(parameter);
  } finally {
    free(parameter);
  }
}

/** Adds the loss and the accuracy of a batch. */
export function add(
  { loss }: TrainingContext,
  sums: MetricSums,
  batch: Dataset,
  output: TensorHandle,
  value: number,
): void {
  const ofClasses = (loss === "ce" || loss === "nll") && String(sizeOf(output)) !== String(batch.targets.shape);
  const counted = ofClasses ? countClasses(batch.targets) : batch.count;
  sums.loss += value * counted;
  sums.count += counted;
  if (hasClasses(loss, batch)) sums.right += countRight(read(output), batch.targets);
}

/** The figures of all samples. */
export function figuresOf({ loss }: TrainingContext, data: Dataset, { loss: sum, right, count }: MetricSums): Figures {
  // The mean of no losses is 0, as it is for each batch.
  const figures = { loss: count > 0 ? sum / count : 0 };
  return hasClasses(loss, data) ? { ...figures, accuracy: right / count } : figures;
}

const hasClasses = (loss: LossName, { targets }: Dataset) =>
  (loss === "ce" || loss === "nll") && targets.shape.length === 1;
