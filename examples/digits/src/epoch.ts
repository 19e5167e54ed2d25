// One epoch of a training: every training digit once, a batch at a time.

import { setImmediate } from "node:timers/promises";
import {
  backward,
  ce,
  forward,
  free,
  type ModuleHandle,
  type OptimizerHandle,
  randperm,
  type StepEvent,
  step,
  tensor,
  zerograd,
} from "@stepwell/sdk";
import { type Digits, pick, pixels } from "./digits.js";
import type { Settings } from "./settings.js";

/** The result of an epoch. */
export interface Epoch {
  readonly epoch: number;
  /** The mean over the batches, each before its step. */
  readonly trainingLoss: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
  readonly steps: number;
  /** Time of the training alone, without the test. */
  readonly seconds: number;
  /** How many objects lived in the session at the end. */
  readonly handles: number;
}

/** A training that failed, with a sentence for the user. */
export class TrainingError extends Error {}

/** A training in progress. */
export interface Training {
  readonly settings: Settings;
  readonly classifier: ModuleHandle;
  readonly optimizer: OptimizerHandle;
  readonly epoch: number;
}

/** Goes over the training digits once, in random order, with an event after each step. Returns the figures. */
export async function* trainEpoch(
  training: Training,
  digits: Digits,
  signal: AbortSignal | undefined,
): AsyncGenerator<StepEvent, Pick<Epoch, "trainingLoss" | "steps" | "seconds">> {
  const { settings, epoch } = training;
  const started = performance.now();
  const order = randperm(digits.labels.length);
  let steps = 0;
  let sum = 0;
  const stepsOfEpoch = Math.ceil(order.length / settings.batch);
  for (let at = 0; at < order.length; at += settings.batch) {
    // A turn of the event loop, in which Ctrl-C is heard and the progress bar drawn.
    await setImmediate();
    signal?.throwIfAborted();

    const batch = pick(digits, order.subarray(at, at + settings.batch));
    const loss = trainBatch(training, batch);
    if (!Number.isFinite(loss)) {
      const { optimizer, options } = settings;
      throw new TrainingError(`The loss of ${optimizer} is ${loss} in epoch ${epoch}: try a --lr below ${options.lr}.`);
    }
    steps += 1;
    sum += loss;
    const done = (epoch - 1) * stepsOfEpoch + steps;
    const all = settings.epochs * stepsOfEpoch;
    yield { type: "step", epoch, step: done, steps: all, loss: sum / steps, skipped: false };
  }
  return { trainingLoss: sum / steps, steps, seconds: (performance.now() - started) / 1000 };
}

/** One step, and the loss before it. */
function trainBatch({ settings, classifier, optimizer }: Training, { images, labels }: Digits): number {
  const input = tensor(images, { shape: [labels.length, pixels], device: settings.device });
  try {
    // L-BFGS calls this as often as its line search asks; the others take it too and call it once.
    return step(optimizer, () => {
      zerograd(optimizer);
      const logits = forward(classifier, input);
      const loss = ce(logits, labels);
      backward(loss);
      free(logits);
      return loss;
    });
  } finally {
    free(input);
  }
}
