// The training between requests: at most one step in a turn of the event loop.

import { batch, type Estimator } from "./estimator.js";
import type { Store } from "./store.js";

/** A training that goes on as long as there are trips. */
export class Training {
  readonly #estimator: Estimator;
  readonly #store: Store;
  readonly #report: (loss: number) => void;
  #turn: NodeJS.Immediate | undefined;
  #stopped = false;

  /** `report` gets the loss of each step. */
  constructor(estimator: Estimator, store: Store, report: (loss: number) => void) {
    this.#estimator = estimator;
    this.#store = store;
    this.#report = report;
  }

  /** Trips that no step has taken yet. */
  get behind(): number {
    return this.#store.count - batch * this.#estimator.steps;
  }

  /** Starts the training, unless it runs or lacks trips. */
  wake(): void {
    if (this.#turn || this.#stopped || this.behind < batch) return;
    // Requests that have arrived are answered first.
    this.#turn = setImmediate(() => this.#step());
  }

  /** Ends the training after the step that runs. */
  stop(): void {
    this.#stopped = true;
    clearImmediate(this.#turn);
  }

  #step(): void {
    this.#turn = undefined;
    this.#report(this.#estimator.train(this.#store.after(batch * this.#estimator.steps, batch)));
    this.wake();
  }
}
