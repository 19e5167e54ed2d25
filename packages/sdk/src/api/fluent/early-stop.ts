// Ends a training whose metric does not improve any more, and keeps the weights of the best epoch.

import type { ModuleHandle } from "../../handle.js";
import { checkWeights, copiedWeights, setWeights } from "./best-weights.js";
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

  /** Goes on from a position, whose weights are checked. */
  goTo({ best, waited }: TrainingPosition): void {
    if (best?.weights) checkWeights(this.#module, best.weights);
    this.#best = best;
    this.#waited = waited;
  }

  /** Takes the figures of an epoch, and returns whether the training ends. */
  async ends(epoch: number, figures: Figures): Promise<boolean> {
    const { metric, mode, mindelta, restorebest } = this.#options;
    const value = figures[metric] as number;
    const before = this.#best?.value ?? Number.POSITIVE_INFINITY * (mode === "min" ? 1 : -1);
    // False for a value that is not a number.
    const improves = mode === "min" ? value < before - mindelta : value > before + mindelta;
    if (!improves) {
      this.#waited += 1;
      return this.isOver;
    }
    const weights = restorebest ? await copiedWeights(this.#module) : null;
    this.#waited = 0;
    this.#best = { epoch, value, weights };
    return false;
  }

  /** Sets parameters and buffers back to the best epoch, if a copy was kept. */
  async restore(): Promise<void> {
    const { weights } = this.#best ?? {};
    if (weights) await setWeights(this.#module, weights);
  }
}
