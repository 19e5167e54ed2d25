// What a training was asked to do, checked before anything is done.

import type { Api } from "../api.js";
import type { StepOptions, TrainOptions } from "../arguments.js";
import { StepwellError } from "../errors.js";
import { namedOptions } from "../named-options.js";
import type { SampleOptions } from "../results.js";
import type { FitData, FitOptions } from "./fit.js";
import { refuse } from "./refuse.js";
import { type Rows, rowsOf } from "./rows.js";

/** What `fit` was asked to do. */
export interface Plan extends Pick<FitOptions, "shuffle" | "advance" | "signal"> {
  readonly data: Rows;
  readonly validation?: Rows | undefined;
  readonly epochs: number;
  readonly size: number;
  /** Leave out a last batch with fewer rows. */
  readonly droplast: boolean;
  /** Without a policy for gradients that are not finite unless one was given: a loss scale has its own. */
  readonly step: Required<Pick<StepOptions, "clipnorm" | "clipvalue">> & Pick<StepOptions, "nonfinite">;
}

type Check = (where: string, value: unknown) => void;

const atLeastOne: Check = (where, value) => {
  if (!Number.isSafeInteger(value) || (value as number) < 1) refuse(where, "a whole number >= 1", value);
};

const aboveZero: Check = (where, value) => {
  if (value === null || (typeof value === "number" && value > 0 && value < Number.POSITIVE_INFINITY)) return;
  refuse(where, "a finite number > 0 or null", value);
};

/** Every option with what it must be. */
const checks: { readonly [Name in keyof Required<FitOptions>]: Check } = {
  epochs: atLeastOne,
  batchSize: atLeastOne,
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

/** The plan of a training. Options that are left out are as `train` has set them, if it has. */
export function planOf(api: Api, data: FitData, options: FitOptions, set?: SampleOptions<TrainOptions>): Plan {
  const given = checked("fit", options, Object.keys(checks) as (keyof FitOptions)[]);
  const { epochs = 1, batchSize: size = set?.batchsize ?? 32, validation, clipnorm, clipvalue, ...others } = given;
  const { nonfinite = set?.nonfinite === "propagate" ? undefined : set?.nonfinite, ...rest } = others;
  // A kind of clipping that is given takes the place of the other that `train` has set.
  const clip = {
    clipnorm: clipnorm === undefined && !clipvalue ? (set?.clipnorm ?? null) : (clipnorm ?? null),
    clipvalue: clipvalue === undefined && !clipnorm ? (set?.clipvalue ?? null) : (clipvalue ?? null),
  };
  if (clip.clipnorm !== null && clip.clipvalue !== null) {
    throw new StepwellError("ERR_OPTION_RANGE", "fit: clipnorm and clipvalue exclude each other: set one to null");
  }
  // Data is read last, for there may be much of it.
  const rows = { data: rowsOf(api, "fit", data), validation: validation && rowsOf(api, "fit", validation) };
  const droplast = set?.droplast ?? false;
  if (droplast && rows.data.count < size) {
    const given = `given ${rows.data.count} rows, batches of ${size} and droplast`;
    throw new StepwellError("ERR_SHAPE", `fit: expected samples for at least one batch, ${given}`);
  }
  return { ...rest, epochs, size, droplast, step: { ...clip, ...(nonfinite && { nonfinite }) }, ...rows };
}

/** How many rows a batch of a measurement has. */
export function batchSizeOf(options: Pick<FitOptions, "batchSize">): number {
  return checked("measure", options, ["batchSize"]).batchSize ?? 32;
}

/** Options of these names, which are what they must be. */
function checked(where: string, options: FitOptions, names: readonly (keyof FitOptions)[]): FitOptions {
  const given = namedOptions<FitOptions>(where, options, names);
  for (const [name, value] of Object.entries(given)) checks[name as keyof FitOptions](`${where}: ${name}`, value);
  return given;
}
