// The numbers of all trainings, for the JSON file, the page and the table.

import { createRequire } from "node:module";
import type { ModuleSpecification, OptionRow } from "@stepwell/sdk";
import type { SplitDigits } from "./digits.js";
import type { Epoch } from "./epoch.js";
import type { Schedule } from "./settings.js";
import { confusion } from "./testing.js";
import { layers, type Run } from "./training.js";

/** One training. */
export interface RunReport {
  readonly optimizer: string;
  readonly options: OptionRow;
  readonly schedule: Schedule;
  readonly batch: number;
  readonly testAccuracy: number;
  readonly testLoss: number;
  /** The training loss of the last epoch. */
  readonly finalLoss: number;
  /** Time of the training alone, without the tests. */
  readonly seconds: number;
  readonly stepsPerSecond: number;
  readonly samplesPerSecond: number;
  /** The file of the trained parameters. */
  readonly parameters: string;
  readonly epochs: readonly Epoch[];
  /** How often each digit (rows) was taken for each digit (columns). */
  readonly confusion: readonly (readonly number[])[];
}

/** All of them, and what they have in common. */
export interface Report {
  readonly written: string;
  readonly versions: { readonly stepwell: string; readonly node: string; readonly platform: string };
  readonly digits: {
    readonly training: number;
    readonly test: number;
    readonly mean: number;
    readonly deviation: number;
  };
  readonly layers: ModuleSpecification;
  readonly device: string;
  readonly seed: number;
  readonly runs: readonly RunReport[];
}

const stepwell = createRequire(import.meta.url)("@stepwell/sdk/package.json") as { readonly version: string };

/** Sums up the trainings of one call, which share device and seed. */
export function report(runs: readonly [Run, ...Run[]], { training, test, mean, deviation }: SplitDigits): Report {
  const { device, seed } = runs[0].settings;
  return {
    written: new Date().toISOString(),
    versions: {
      stepwell: stepwell.version,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    },
    digits: { training: training.labels.length, test: test.labels.length, mean, deviation },
    layers,
    device,
    seed,
    runs: runs.map((run) => runReport(run, training.labels.length, test.labels)),
  };
}

function runReport({ settings, options, epochs, result }: Run, trainingCount: number, labels: Uint8Array): RunReport {
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const steps = epochs.reduce((sum, epoch) => sum + epoch.steps, 0);
  return {
    optimizer: settings.optimizer,
    options,
    schedule: settings.schedule,
    batch: settings.batch,
    testAccuracy: result.accuracy,
    testLoss: result.loss,
    finalLoss: epochs.at(-1)?.trainingLoss ?? Number.NaN,
    seconds,
    stepsPerSecond: steps / seconds,
    samplesPerSecond: (trainingCount * epochs.length) / seconds,
    parameters: `${settings.optimizer}.safetensors`,
    epochs,
    confusion: confusion(labels, result.answers),
  };
}
