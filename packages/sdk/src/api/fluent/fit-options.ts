// Validates the options and the data of a training before it begins.

import { StepwellError } from "../../errors.js";
import type { StepOptions, TrainOptions } from "../../generated/settings.js";
import type { SampleOptions } from "../../types/results.js";
import { namedOptions } from "../../values/named-options.js";
import { refuse } from "../../values/refuse.js";
import { type Dataset, readDataset } from "./dataset.js";
import type { FitData, FitOptions, MeasureOptions } from "./fit-types.js";

/** Options of `fit` with the data, all valid. */
export interface ValidatedFitOptions extends Pick<FitOptions, "shuffle" | "advance" | "signal"> {
  readonly data: Dataset;
  readonly validation?: Dataset | undefined;
  readonly epochs: number;
  /** Samples of a batch. */
  readonly size: number;
  /** Leave out a last batch with fewer samples. */
  readonly droplast: boolean;
  /** Options of each step. A policy for gradients that are not finite is there only if it was given: a loss scale has its own. */
  readonly step: Required<Pick<StepOptions, "clipnorm" | "clipvalue">> & Pick<StepOptions, "nonfinite">;
}

/** Samples of a batch, unless an option or a setting of `train` says otherwise. */
const DEFAULT_SIZE = 32;

type Check = (where: string, value: unknown) => void;

const atLeastOne: Check = (where, value) => {
  if (!Number.isSafeInteger(value) || (value as number) < 1) refuse(where, "a whole number >= 1", value);
};

const aboveZero: Check = (where, value) => {
  if (value === null || (typeof value === "number" && value > 0 && value < Number.POSITIVE_INFINITY)) return;
  refuse(where, "a finite number > 0 or null", value);
};

/** The check of every option. */
const checks: { readonly [Name in keyof Required<FitOptions>]: Check } = {
  epochs: atLeastOne,
  batchSize: atLeastOne,
  batchsize: atLeastOne,
  shuffle: (where, value) => {
    if (typeof value !== "boolean") refuse(where, "a boolean", value);
  },
  advance: (where, value) => {
    if (value !== "step" && value !== "epoch") refuse(where, "step or epoch", value);
  },
  clipnorm: aboveZero,
  clipvalue: aboveZero,
  nonfinite: (where, value) => {
    if (value !== "propagate" && value !== "skip" && value !== "error")
      refuse(where, "propagate, skip or error", value);
  },
  signal: (where, value) => {
    const aborted = typeof value === "object" && value !== null && "aborted" in value ? value.aborted : undefined;
    if (typeof aborted !== "boolean") refuse(where, "an AbortSignal", value);
  },
  validation: (where, value) => {
    if (typeof value !== "object" || value === null) refuse(where, "inputs and targets", value);
  },
};

/** Validates options and reads data. Options that are left out take the settings of `train`, if there are any. */
export function validateFitOptions(
  data: FitData,
  options: FitOptions,
  set?: SampleOptions<TrainOptions>,
): ValidatedFitOptions {
  const given = checked("fit", options, Object.keys(checks) as (keyof FitOptions)[]);
  const {
    epochs = 1,
    batchSize: size = set?.batchsize ?? DEFAULT_SIZE,
    validation,
    clipnorm,
    clipvalue,
    ...others
  } = given;
  const { nonfinite = set?.nonfinite === "propagate" ? undefined : set?.nonfinite, ...rest } = others;
  // A given kind of clipping replaces the other kind in the settings of `train`.
  const clip = {
    clipnorm: clipnorm === undefined && !clipvalue ? (set?.clipnorm ?? null) : (clipnorm ?? null),
    clipvalue: clipvalue === undefined && !clipnorm ? (set?.clipvalue ?? null) : (clipvalue ?? null),
  };
  if (clip.clipnorm !== null && clip.clipvalue !== null) {
    throw new StepwellError("ERR_OPTION_RANGE", "fit: clipnorm and clipvalue exclude each other: set one to null");
  }
  // Read data last, since there may be much of it.
  const datasets = { data: readDataset("fit", data), validation: validation && readDataset("fit", validation) };
  const droplast = set?.droplast ?? false;
  if (droplast && datasets.data.count < size) {
    const given = `given ${datasets.data.count} samples, batches of ${size} and droplast`;
    throw new StepwellError("ERR_SHAPE", `fit: expected samples for at least one batch, ${given}`);
  }
  return { ...rest, epochs, size, droplast, step: { ...clip, ...(nonfinite && { nonfinite }) }, ...datasets };
}

/** The number of samples in a batch of an evaluation. */
export function validateBatchSize(options: MeasureOptions): number {
  return checked("measure", options, ["batchSize", "batchsize"]).batchSize ?? DEFAULT_SIZE;
}

/** Options that have these names and pass their checks; `batchsize` is given as `batchSize`. */
function checked(
  where: string,
  options: FitOptions,
  names: readonly (keyof FitOptions)[],
): Omit<FitOptions, "batchsize"> {
  const given = namedOptions<FitOptions>(where, options, names);
  for (const [name, value] of Object.entries(given)) checks[name as keyof FitOptions](`${where}: ${name}`, value);
  const { batchsize, ...others } = given;
  if (batchsize === undefined) return others;
  if (others.batchSize === undefined) return { ...others, batchSize: batchsize };
  throw new StepwellError("ERR_ARGUMENT", `${where}: batchSize and batchsize are one option: give only one of them`);
}
