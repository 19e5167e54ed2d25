// The network: one copy trains on a thread of the engine, a published copy answers.

import { existsSync } from "node:fs";
import {
  clone,
  copyparms,
  evaluate,
  load,
  loss,
  model,
  module,
  opt,
  runAsync,
  saveAsync,
  scoped,
  seed,
  seq,
  skipped,
  tensor,
  train,
} from "@stepwell/sdk";
import type { StoredTrip } from "./store.js";
import { inputsOf, minutesOf, type Trip, targetOf, width } from "./trips.js";

/** Trips of a training step. */
export const batch = 32;
/** Steps from one publication to the next. */
const period = 8;

/** An answer, with the number of steps after which its weights were published. */
export interface Estimate {
  readonly minutes: number;
  readonly version: number;
}

/**
 * A network that trains while another copy answers. Equal trips in equal order give equal weights.
 *
 * `train` and `save` have the network until their promises are over, so that a caller awaits one before the next.
 */
export class Estimator {
  readonly #net;
  readonly #optimizer;
  readonly #model;
  readonly #published;
  readonly #path: string;
  #steps = 0;
  #last = 0;
  #version = 0;
  #saved = 0;
  #skipped = 0;

  /** Goes on from the checkpoint if there is one. */
  constructor(path: string) {
    this.#path = path;
    seed(1);
    this.#net = module(seq("sequential", ["linear", "hidden", width, 32], "tanh", ["linear", "output", 32, 1]));
    this.#optimizer = opt("adamw", this.#net, { lr: 0.003 });
    if (existsSync(path)) {
      const { steps, last } = load(path, { net: this.#net, optimizer: this.#optimizer });
      this.#steps = Number(steps);
      this.#last = Number(last);
    }
    this.#model = model(this.#net, loss("mse"), this.#optimizer);
    train(this.#model, { batchsize: batch, clipnorm: 1, nonfinite: "skip" });
    this.#published = clone(this.#net);
    this.#version = this.#saved = this.#steps;
    this.#skipped = skipped(this.#optimizer);
  }

  /** Steps of the training. */
  get steps(): number {
    return this.#steps;
  }

  /** The id of the last trip that a step has taken. The next step takes the trips after it. */
  get last(): number {
    return this.#last;
  }

  /** Steps until the next publication: a call of `train` makes no more. */
  get unpublished(): number {
    return period - (this.#steps % period);
  }

  /** The step after which the weights were published that answer now. */
  get version(): number {
    return this.#version;
  }

  /** Steps that a crash would lose. They are made again, since the trips are stored. */
  get unsaved(): number {
    return this.#steps - this.#saved;
  }

  /** Steps that were left out because a gradient was not finite. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Answers for trips, in one forward pass. */
  estimate(trips: readonly Trip[]): readonly Estimate[] {
    const outputs = scoped(() => tensor(evaluate(this.#published, trips.map(inputsOf)), { dimensions: 2 }));
    return outputs.map(([output = Number.NaN]) => ({ minutes: minutesOf(output), version: this.#version }));
  }

  /** Makes a training step for each `batch` of the trips. Resolves to their mean loss. */
  async train(trips: readonly StoredTrip[]): Promise<number> {
    const targets = trips.map((trip) => [targetOf(trip)]);
    const steps = train(this.#model, trips.map(inputsOf), targets);
    const loss = await runAsync(this.#model);
    this.#steps += steps;
    this.#last = trips.at(-1)?.id ?? this.#last;
    this.#skipped = skipped(this.#optimizer);
    if (this.#steps % period === 0) this.publish();
    return Number(loss);
  }

  /** Answers with the weights of now. */
  publish(): void {
    copyparms(this.#net, this.#published);
    this.#version = this.#steps;
  }

  /** Saves weights, optimizer and position in one file, which is replaced at once or not at all. */
  async save(): Promise<void> {
    const [steps, last] = [this.#steps, this.#last];
    await saveAsync(this.#path, { net: this.#net, optimizer: this.#optimizer, steps, last });
    this.#saved = steps;
  }
}
