// Trains a classifier of digits with one optimizer.

import { setImmediate } from "node:timers/promises";
import {
  backward,
  ce,
  forward,
  free,
  handlecount,
  type ModuleHandle,
  module,
  type OptimizerHandle,
  opt,
  randperm,
  seed,
  seq,
  step,
  tensor,
  to,
  zerograd,
} from "@stepwell/sdk";
import { classes, type Digits, pick, pixels, type SplitDigits } from "./digits.js";
import type { Settings } from "./settings.js";
import { type TestResult, test } from "./testing.js";

const hidden = 256;
/** The layers of the classifier. */
export const layers = seq("sequential", ["linear", "hidden", pixels, hidden], "relu", [
  "linear",
  "output",
  hidden,
  classes,
]);

/** What an epoch came to. */
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

/** A finished training. Its classifier is the caller's to free. */
export interface Run {
  readonly settings: Settings;
  readonly classifier: ModuleHandle;
  readonly epochs: readonly Epoch[];
  /** The test after the last epoch. */
  readonly result: TestResult;
}

/** Is told how a training comes along. */
export interface Watcher {
  batch(now: { readonly epoch: number; readonly samples: number; readonly loss: number }): void;
  epoch(epoch: Epoch): void;
}

/** A training that came to nothing, with a sentence for the user. */
export class TrainingError extends Error {}

/** Trains from fresh weights. Runs with the same seed start from the same weights and meet the digits in the same order. */
export async function train(settings: Settings, digits: SplitDigits, watcher?: Watcher, signal?: AbortSignal): Promise<Run> {
  seed(settings.seed);
  const classifier = module(layers);
  to(classifier, settings.device);
  const optimizer = opt(settings.optimizer, classifier, settings.options);
  const { images, labels } = digits.test;
  const testImages = tensor(images, { shape: [labels.length, pixels], device: settings.device });
  try {
    const epochs: Epoch[] = [];
    let result: TestResult;
    do {
      const epoch = epochs.length + 1;
      const trained = await trainEpoch({ settings, classifier, optimizer, epoch }, digits.training, watcher, signal);
      result = test(classifier, testImages, labels);
      epochs.push({
        epoch,
        ...trained,
        testLoss: result.loss,
        testAccuracy: result.accuracy,
        handles: handlecount(),
      });
      watcher?.epoch(epochs.at(-1) as Epoch);
    } while (epochs.length < settings.epochs);
    return { settings, classifier, epochs, result };
  } catch (error) {
    free(classifier);
    throw error;
  } finally {
    free(optimizer, testImages);
  }
}

interface Training {
  readonly settings: Settings;
  readonly classifier: ModuleHandle;
  readonly optimizer: OptimizerHandle;
  readonly epoch: number;
}

async function trainEpoch(
  training: Training,
  digits: Digits,
  watcher: Watcher | undefined,
  signal: AbortSignal | undefined,
): Promise<Pick<Epoch, "trainingLoss" | "steps" | "seconds">> {
  const { settings, epoch } = training;
  const started = performance.now();
  const order = randperm(digits.labels.length);
  let steps = 0;
  let sum = 0;
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
    watcher?.batch({ epoch, samples: batch.labels.length, loss: sum / steps });
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

/** Throws where an epoch left more objects behind than the first did: native memory would grow with every epoch. */
export function assertSteadyHandles(epochs: readonly Epoch[]): void {
  const first = epochs[0]?.handles ?? 0;
  const grown = epochs.find(({ handles }) => handles > first);
  if (grown) throw new Error(`handlecount() grew from ${first} in epoch 1 to ${grown.handles} in epoch ${grown.epoch}.`);
}
