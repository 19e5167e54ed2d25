// A pass over the data of a training or of a measurement, and the sums of its figures.

import type { MetricName } from "../../generated/settings.js";
import type { BatchReport, Metrics } from "../../types/results.js";
import type { Figures, TrainingPosition } from "./fit-types.js";

/** The data of a position, and the order of their items in the epoch. */
export type PassOrder = Pick<TrainingPosition, "data" | "buffer" | "key" | "total" | "generator">;

/** A pass of training. */
export interface Pass {
  /** Whether there may be another step. */
  readonly hasNext: boolean;
  /** Items so far, from the beginning of the pass. */
  readonly taken: number;
  readonly order: PassOrder;
  /** Runs the next step; undefined after the last one, and if the signal has aborted while data were awaited. */
  next(): Promise<BatchReport | undefined>;
  /** The losses of the batches of the last step. */
  lastLosses(): readonly number[];
  /** Ends the pass after its last step, and returns its figures. `sums` has them of the whole pass. */
  finish(sums: PassSums): Promise<Figures>;
  /** Frees what the pass holds, wherever it is. */
  close(hasFailed: boolean): Promise<void>;
}

/** A measurement. */
export interface TestPass {
  /** Measures the next batch; false after the last one, and if the signal has aborted while data were awaited. */
  next(): Promise<boolean>;
  /** The figures. */
  finish(): Figures;
  /** Frees what the pass holds, wherever it is. */
  close(hasFailed: boolean): Promise<void>;
}

/** The figures of a pass, as `metrics`, `testmetrics` and `testrun` return them. */
export function figuresOf(result: number | Metrics | undefined): Figures {
  return typeof result === "object" ? (result as Figures) : { loss: Number(result) };
}

/** Sums over the batches of a pass. */
export class PassSums {
  #loss = 0;
  #weight = 0;
  #matches = 0;
  #classes = 0;
  #losses: number[] = [];

  /** Zero, or the sums of a position. */
  constructor(sums?: TrainingPosition["sums"]) {
    if (sums === undefined) return;
    [this.#loss, this.#weight] = [sums.loss, sums.weight];
    [this.#matches, this.#classes] = [sums.matches, sums.classes];
    this.#losses = Array.from(sums.batchloss);
  }

  /** Adds a step, in the order of the engine, so that sums are equal to the bit for steps of one batch. */
  add({ loss, weight, matches = 0, classes = 0 }: BatchReport, losses: readonly number[]): void {
    if (weight > 0) {
      this.#loss += loss * weight;
      this.#weight += weight;
    }
    this.#matches += matches;
    this.#classes += classes;
    this.#losses.push(...losses);
  }

  /** The figures of some metrics. */
  figures(metrics: readonly MetricName[]): Figures {
    const all = {
      loss: this.#weight > 0 ? this.#loss / this.#weight : 0,
      batchloss: [...this.#losses],
      accuracy: (100 * this.#matches) / this.#classes,
      matches: this.#matches,
    };
    return Object.fromEntries(metrics.map((name) => [name, all[name]])) as unknown as Figures;
  }

  /** As plain data. */
  get values(): TrainingPosition["sums"] {
    const [loss, weight, matches, classes] = [this.#loss, this.#weight, this.#matches, this.#classes];
    return { loss, weight, matches, classes, batchloss: [...this.#losses] };
  }
}
