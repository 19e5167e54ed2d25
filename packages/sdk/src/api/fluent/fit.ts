// Trains a model, and yields an event for each step and epoch.

import type { TensorHandle } from "../../handle.js";
import type { Target } from "../../types/arguments.js";
import type { TensorData } from "../../types/tensor-data.js";
import { backward, clip, clipv, zerograd } from "../functions/gradients.js";
import { forward } from "../functions/modules.js";
import { free, objtype } from "../functions/objects.js";
import { advance as advanceSchedule, schedule } from "../functions/schedules.js";
import { randperm } from "../functions/session.js";
import { step as makeStep } from "../functions/steps.js";
import { tensor } from "../functions/tensors.js";
import { batchOf, type Dataset, inOrder } from "./dataset.js";
import {
  add,
  applyLoss,
  evaluation,
  figuresOf,
  type MetricSums,
  type TrainingContext,
  withTensors,
} from "./evaluation.js";
import type { ValidatedFitOptions } from "./fit-options.js";
import type { DoneEvent, FitEvent } from "./fit-types.js";
import { beginTraining, endTraining } from "./running-trainings.js";

const aborted: DoneEvent = { type: "done", reason: "aborted" };

/** Trains, and reports each step. If it cannot begin, it has changed nothing. */
export async function* fit(
  context: TrainingContext,
  options: ValidatedFitOptions,
): AsyncGenerator<FitEvent, void, undefined> {
  const training = beginTraining(context);
  try {
    yield* events(context, options);
  } finally {
    endTraining(training);
  }
}

async function* events(
  context: TrainingContext,
  options: ValidatedFitOptions,
): AsyncGenerator<FitEvent, void, undefined> {
  const { optimizer } = context;
  const { data, validation, epochs, size, droplast, shuffle = true, advance = "step", signal } = options;
  const end = droplast ? data.count - (data.count % size) : data.count;
  const steps = epochs * Math.ceil(end / size);
  const scheduled = schedule(optimizer) !== undefined;
  let step = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = shuffle ? randperm(data.count) : inOrder(data.count);
    const sums = { loss: 0, right: 0, count: 0 };
    for (let from = 0; from < end; from += size) {
      if (await stopped(signal)) return yield aborted;
      const loss = trainBatch(context, batchOf(data, order, from, size), sums, options.step);
      if (scheduled && advance === "step") advanceSchedule(optimizer, loss);
      step += 1;
      yield { type: "step", epoch, step, steps, loss };
    }
    const work = validation && evaluation(context, validation, size);
    let next = work?.next();
    while (next?.done === false) {
      if (await stopped(signal)) return yield aborted;
      next = work?.next();
    }
    if (await stopped(signal)) return yield aborted;
    const figures = figuresOf(context, data, sums);
    const measured = next?.done ? next.value : undefined;
    if (scheduled && advance === "epoch") advanceSchedule(optimizer, (measured ?? figures).loss);
    yield { type: "epoch", epoch, ...figures, ...(measured && { validation: measured }) };
  }
  yield { type: "done", reason: "finished" };
}

/** Gives timers and signals a turn of the event loop, and returns whether a signal ended the training. */
async function stopped(signal: AbortSignal | undefined): Promise<boolean> {
  await turn();
  return signal?.aborted === true;
}

/** Makes a step on a batch, and returns the loss before it. */
function trainBatch(
  context: TrainingContext,
  batch: Dataset,
  sums: MetricSums,
  options: ValidatedFitOptions["step"],
): number {
  const { module, loss, optimizer } = context;
  const { clipnorm, clipvalue, nonfinite } = options;
  // The line search of L-BFGS compares gradients, so each of them is clipped where it is computed.
  const clips = objtype(optimizer) === "lbfgs";
  let first = true;
  const closure = (input: TensorHandle | TensorData, target: Target) => {
    zerograd(optimizer);
    const output = forward(module, input);
    try {
      const lost = applyLoss(loss, output, target);
      try {
        const value = tensor(lost) as number;
        if (first) add(context, sums, batch, output, value);
        first = false;
        backward(lost, optimizer);
        if (clips && clipnorm) clip(optimizer, clipnorm);
        if (clips && clipvalue) clipv(optimizer, clipvalue);
        return value;
      } finally {
        free(lost);
      }
    } finally {
      free(output);
    }
  };
  // L-BFGS calls it as often as its line search asks; the others take it too and call it once.
  return withTensors(context, batch, (input, target) =>
    makeStep(optimizer, () => closure(input, target), clips ? (nonfinite ? { nonfinite } : {}) : options),
  );
}

/** Resolves in the next turn of the event loop. Browsers have no `setImmediate`. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve);
  });
}
