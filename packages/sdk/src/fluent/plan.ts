// What a training was asked to do, checked before anything is done.

import type { Api } from "../api.js";
import { namedOptions } from "../named-options.js";
import type { FitData, FitOptions } from "./fit.js";
import { refuse } from "./refuse.js";
import { type Rows, rowsOf } from "./rows.js";

/** What `fit` was asked to do. */
export interface Plan extends Pick<FitOptions, "shuffle" | "advance" | "nonfinite" | "signal"> {
  readonly data: Rows;
  readonly validation?: Rows | undefined;
  readonly epochs: number;
  readonly size: number;
}

type Check = (where: string, value: unknown) => void;

const atLeastOne: Check = (where, value) => {
  if (!Number.isSafeInteger(value) || (value as number) < 1) refuse(where, "a whole number >= 1", value);
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

/** The plan of a training. */
export function planOf(api: Api, data: FitData, options: FitOptions): Plan {
  const {
    epochs = 1,
    batchSize: size = 32,
    validation,
    ...others
  } = checked("fit", options, Object.keys(checks) as (keyof FitOptions)[]);
  // Data is read last, for there may be much of it.
  const rows = { data: rowsOf(api, data), validation: validation && rowsOf(api, validation) };
  return { ...others, epochs, size, ...rows };
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
