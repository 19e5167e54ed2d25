// The training and its checkpoints: one asynchronous call after the other, between which the service goes on.

import { batch, type Estimator } from "./estimator.js";
import type { Store } from "./store.js";

/** Callbacks of a training. */
export interface TrainingReports {
  /** Steps that were made, and their mean loss. */
  steps(count: number, loss: number): void;
  /** Runs around each checkpoint. */
  save(save: () => Promise<void>): Promise<void>;
  /** A checkpoint that failed. The training goes on, and the next one may succeed. */
  unsaved(error: unknown): void;
}

/** A training that goes on as long as there are trips. */
export class Training {
  readonly #estimator: Estimator;
  readonly #store: Store;
  readonly #reports: TrainingReports;
  #turn: NodeJS.Immediate | undefined;
  #running: Promise<void> | undefined;
  /** Trips in the store that steps have taken. */
  #taken: number;
  #isDue = false;
  #stopped = false;

  constructor(estimator: Estimator, store: Store, reports: TrainingReports) {
    this.#estimator = estimator;
    this.#store = store;
    this.#reports = reports;
    this.#taken = store.countUpTo(estimator.last);
  }

  /** Trips that no step has taken yet. */
  get behind(): number {
    return this.#store.count - this.#taken;
  }

  /** Starts the training, unless it runs or lacks work. */
  wake(): void {
    if (this.#turn || this.#running || this.#stopped || !(this.#isDue || this.behind >= batch)) return;
    // Requests that have arrived are answered first.
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      this.#running = this.#work().finally(() => {
        this.#running = undefined;
        this.wake();
      });
    });
  }

  /** Saves a checkpoint after the steps that are made now. */
  saveSoon(): void {
    this.#isDue = true;
    this.wake();
  }

  /** Ends the training after the steps that are made now, and saves them. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearImmediate(this.#turn);
    await this.#running;
    await this.#save();
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      if (this.#isDue) await this.#save().catch((error: unknown) => this.#reports.unsaved(error));
      const count = Math.min(Math.floor(this.behind / batch), this.#estimator.unpublished);
      if (count === 0) return;
      const trips = this.#store.after(this.#estimator.last, batch * count);
      const loss = await this.#estimator.train(trips);
      this.#taken += trips.length;
      this.#reports.steps(count, loss);
    }
  }

  async #save(): Promise<void> {
    this.#isDue = false;
    if (this.#estimator.unsaved > 0) await this.#reports.save(() => this.#estimator.save());
  }
}
