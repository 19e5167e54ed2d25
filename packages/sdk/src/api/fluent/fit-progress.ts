// Where a training is, and from where it goes on.

import { StepwellError } from "../../errors.js";
import type { BatchReport } from "../../types/results.js";
import type { EarlyStop } from "./early-stop.js";
import { readPosition } from "./fit-position.js";
import type { EpochFigures, TrainingPosition } from "./fit-types.js";
import { type Pass, type PassOrder, PassSums } from "./pass.js";

/** The progress of a training. */
export class Progress {
  epoch = 1;
  step = 0;
  taken = 0;
  sums = new PassSums();
  epochs: EpochFigures[] = [];
  #order: PassOrder;
  readonly #early: EarlyStop | undefined;
  #pass: Pass | undefined;

  /** At the beginning of a training of data of a kind, with items of a buffer. */
  constructor(data: PassOrder["data"], buffer: number, early: EarlyStop | undefined) {
    this.#order = begunOrder(data, buffer);
    this.#early = early;
  }

  /** The position, as plain data. */
  get position(): TrainingPosition {
    // The end of the data may have been read since the last step.
    const order = this.#pass?.order ?? this.#order;
    const { data, buffer, key } = order;
    const { epoch, step, taken } = this;
    // The generator has drawn the key before the first step, too.
    const own = taken > 0 ? order : { ...begunOrder(data, buffer), key };
    const early = this.#early?.progress ?? { best: null, waited: 0 };
    return { version: 1, epoch, step, taken, ...own, sums: this.sums.values, epochs: [...this.epochs], ...early };
  }

  /** The position in the epoch, once the order of its items is drawn. */
  get positionInEpoch(): TrainingPosition | undefined {
    const { position } = this;
    return position.taken > 0 || position.key.length > 0 ? position : undefined;
  }

  /** Goes to a position of data of the same kind and order. */
  goTo(given: unknown): void {
    const { data, buffer } = this.#order;
    const position = readPosition(given);
    const isSame = position.data === data && position.buffer === buffer;
    if (position.taken > 0 && !isSame) {
      const given = `given ${position.data} and a buffer of ${position.buffer}`;
      const message = `fit: resume: expected a position in ${data} with a buffer of ${buffer}, ${given}`;
      throw new StepwellError("ERR_ARGUMENT", message);
    }
    const { version: _, epoch, step, taken, sums, epochs, key, total, generator } = position;
    // It checks the weights.
    this.#early?.goTo(position);
    [this.epoch, this.step, this.taken] = [epoch, step, taken];
    this.sums = new PassSums(sums);
    this.epochs = [...epochs];
    this.#order = isSame ? { data, buffer, key, total, generator } : begunOrder(data, buffer);
  }

  /** Goes on with a pass. */
  begin(pass: Pass): void {
    this.#pass = pass;
  }

  /** Adds a step that was made. */
  add(pass: Pass, report: BatchReport, losses: readonly number[]): void {
    this.step += 1;
    this.taken = pass.taken;
    this.sums.add(report, losses);
  }

  /** Ends an epoch. */
  end(figures: EpochFigures): void {
    this.#pass = undefined;
    this.#order = begunOrder(this.#order.data, this.#order.buffer);
    this.epochs.push(figures);
    this.epoch += 1;
    this.taken = 0;
    this.sums = new PassSums();
  }
}

/** The order of an epoch before it is drawn. */
const begunOrder = (data: PassOrder["data"], buffer: number): PassOrder => {
  return { data, buffer, key: [], total: null, generator: null };
};
