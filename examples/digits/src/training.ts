// Trains a classifier of digits with one optimizer.

import { observe, type TrainingObserver } from "@stepwell/cli";
import {
  type FitEvent,
  free,
  handlecount,
  lr,
  type ModuleHandle,
  module,
  type OptionRow,
  opt,
  seed,
  seq,
  tensor,
  to,
} from "@stepwell/sdk";
import { classes, pixels, type SplitDigits } from "./digits.js";
import { type Epoch, type Training, trainEpoch } from "./epoch.js";
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

/** A finished training. Its classifier is the caller's to free. */
export interface Run {
  readonly settings: Settings;
  /** Every option of the optimizer, also those that were left at its defaults. */
  readonly options: OptionRow;
  readonly classifier: ModuleHandle;
  readonly epochs: readonly Epoch[];
  /** The test after the last epoch. */
  readonly result: TestResult;
}

/**
 * Trains from fresh weights, and shows it to observers. Runs with the same seed start from the same weights and meet the digits in the
 * same order.
 */
export async function train(
  settings: Settings,
  digits: SplitDigits,
  observers: readonly TrainingObserver[] = [],
  signal?: AbortSignal,
): Promise<Run> {
  seed(settings.seed);
  const classifier = module(layers);
  to(classifier, settings.device);
  const optimizer = opt(settings.optimizer, classifier, settings.options);
  const { images, labels } = digits.test;
  const testImages = tensor(images, { shape: [labels.length, pixels], device: settings.device });
  try {
    const options = opt(optimizer).options[0] ?? {};
    const epochs: Epoch[] = [];
    const measure = () => test(classifier, testImages, labels);
    await observe(events({ settings, classifier, optimizer }, digits, measure, epochs, signal), ...observers);
    return { settings, options, classifier, epochs, result: measure() };
  } catch (error) {
    free(classifier);
    throw error;
  } finally {
    free(optimizer, testImages);
  }
}

/** The events of a training, as `fit` has them. Appends the figures of each epoch to a list. */
async function* events(
  training: Omit<Training, "epoch">,
  digits: SplitDigits,
  measure: () => TestResult,
  epochs: Epoch[],
  signal: AbortSignal | undefined,
): AsyncGenerator<FitEvent> {
  const { settings, optimizer } = training;
  const rates = lr(optimizer);
  while (epochs.length < settings.epochs) {
    const epoch = epochs.length + 1;
    if (settings.schedule === "linear") {
      const share = 1 - epochs.length / settings.epochs;
      lr(
        optimizer,
        rates.map((rate) => rate * share),
      );
    }
    const trained = yield* trainEpoch({ ...training, epoch }, digits.training, signal);
    const { loss, accuracy } = measure();
    epochs.push({ epoch, ...trained, testLoss: loss, testAccuracy: accuracy, handles: handlecount() });
    yield { type: "epoch", epoch, loss: trained.trainingLoss, validation: { loss, accuracy: 100 * accuracy } };
  }
  yield { type: "done", reason: "finished" };
}

/** Throws if an epoch leaves more objects alive than the first did: native memory would grow with every epoch. */
export function assertSteadyHandles(epochs: readonly Epoch[]): void {
  const first = epochs[0]?.handles ?? 0;
  const grown = epochs.find(({ handles }) => handles > first);
  if (grown)
    throw new Error(`handlecount() grew from ${first} in epoch 1 to ${grown.handles} in epoch ${grown.epoch}.`);
}
