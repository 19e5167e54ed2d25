// Ends a training whose metric does not improve any more, and keeps the weights of the best epoch.

import type { TypedTensor } from "../../binding.js";
import type { ModuleHandle } from "../../handle.js";
import { names, parm } from "../functions/modules.js";
import { free } from "../functions/objects.js";
import { state } from "../functions/optimizers.js";
import { copyto } from "../functions/tensors.js";
import type { EarlyStopOptions, Figures, TrainingPosition } from "./fit-types.js";

/** The progress of a metric. */
export class EarlyStop {
  readonly #module: ModuleHandle;
  readonly #options: Required<EarlyStopOptions>;
  #best: TrainingPosition["best"] = null;
  #waited = 0;

  constructor(module: ModuleHandle, options: Required<EarlyStopOptions>) {
    this.#module = module;
    this.#options = options;
  }

  /** The epoch with the best metric, if one was measured. */
  get best(): number | undefined {
    return this.#best?.epoch;
  }

  /** The best epoch, and how many epochs have passed since, as plain data. */
  get progress(): Pick<TrainingPosition, "best" | "waited"> {
    return { best: this.#best, waited: this.#waited };
  }

  /** Whether the metric has not improved for as many epochs as the training waits. */
  get isOver(): boolean {
    return this.#waited >= this.#options.patience;
  }

  /** Goes on from a position. */
  goTo({ best, waited }: TrainingPosition): void {
    this.#best = best;
    this.#waited = waited;
  }

  /** Takes the figures of an epoch, and returns whether the training ends. */
  ends(epoch: number, figures: Figures): boolean {
    const { metric, mode, mindelta, restorebest } = this.#options;
    const value = figures[metric] as number;
    const before = this.#best?.value ?? Number.POSITIVE_INFINITY * (mode === "min" ? 1 : -1);
    // False for a value that is not a number.
    const improves = mode === "min" ? value < before - mindelta : value > before + mindelta;
    if (!improves) {
      this.#waited += 1;
      return this.isOver;
    }
    this.#waited = 0;
    this.#best = { epoch, value, weights: restorebest ? this.#weights() : null };
    return false;
  }

  /** Sets parameters and buffers back to the best epoch, if a copy was kept. */
  restore(): void {
    const { weights } = this.#best ?? {};
    if (!weights) return;
    for (const [name, value] of Object.entries(weights)) {
      const handle = parm(this.#module, name);
      try {
        copyto(value as never, handle);
      } finally {
        free(handle);
      }
    }
  }

  /** Copies of parameters and buffers by their dotted names. */
  #weights(): { readonly [name: string]: TypedTensor } {
    const prefixes = ["", ...names(this.#module).map((name) => `${name}.`)];
    const rows = state(this.#module).entries();
    const weights = [...rows].flatMap(([i, { parms, buffers }]) =>
      Object.entries({ ...parms, ...buffers }).map(([name, value]) => [prefixes[i] + name, value] as const),
    );
    return Object.fromEntries(weights);
  }
}
