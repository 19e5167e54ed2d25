// Ends a training whose metric does not improve any more, and keeps the weights of the best epoch.

import type { ModuleHandle } from "../../handle.js";
import type { ModuleState } from "../../types/results.js";
import { names, parm } from "../functions/modules.js";
import { free } from "../functions/objects.js";
import { state } from "../functions/optimizers.js";
import { copyto } from "../functions/tensors.js";
import type { EarlyStopOptions, Figures } from "./fit-types.js";

/** The progress of a metric. */
export class EarlyStop {
  readonly #module: ModuleHandle;
  readonly #options: Required<EarlyStopOptions>;
  #best: { readonly epoch: number; readonly value: number; readonly weights: ModuleState | undefined } | undefined;
  #waited = 0;

  constructor(module: ModuleHandle, options: Required<EarlyStopOptions>) {
    this.#module = module;
    this.#options = options;
  }

  /** The epoch with the best metric, if one was measured. */
  get best(): number | undefined {
    return this.#best?.epoch;
  }

  /** Takes the figures of an epoch, and returns whether the training ends. */
  ends(epoch: number, figures: Figures): boolean {
    const { metric, mode, mindelta, patience, restorebest } = this.#options;
    const value = figures[metric] as number;
    const before = this.#best?.value ?? Number.POSITIVE_INFINITY * (mode === "min" ? 1 : -1);
    // False for a value that is not a number.
    const improves = mode === "min" ? value < before - mindelta : value > before + mindelta;
    if (!improves) {
      this.#waited += 1;
      return this.#waited >= patience;
    }
    this.#waited = 0;
    this.#best = { epoch, value, weights: restorebest ? state(this.#module) : undefined };
    return false;
  }

  /** Sets parameters and buffers back to the best epoch, if a copy was kept. */
  restore(): void {
    const { weights } = this.#best ?? {};
    if (!weights) return;
    const module = this.#module;
    const prefixes = ["", ...names(module).map((name) => `${name}.`)];
    for (const [i, { parms, buffers }] of weights.entries()) {
      for (const [name, value] of Object.entries({ ...parms, ...buffers })) {
        const handle = parm(module, prefixes[i] + name);
        try {
          copyto(value as never, handle);
        } finally {
          free(handle);
        }
      }
    }
  }
}
