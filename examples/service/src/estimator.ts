// The network: one copy trains, a published copy answers.

import { existsSync } from "node:fs";
import {
  backward,
  clone,
  copyparms,
  evaluate,
  forward,
  load,
  module,
  mse,
  opt,
  save,
  scoped,
  seed,
  seq,
  skipped,
  step,
  tensor,
} from "@stepwell/sdk";
import { inputsOf, type MadeTrip, minutesOf, type Trip, targetOf, width } from "./trips.js";

/** Trips of a training step. */
export const batch = 32;
/** Steps from one publication to the next. */
const period = 8;

/** An answer, with the number of steps after which its weights were published. */
export interface Estimate {
  readonly minutes: number;
  readonly version: number;
}

/** A network that trains step by step while another copy answers. Equal trips in equal order give equal weights. */
export class Estimator {
  readonly #net;
  readonly #optimizer;
  readonly #published;
  readonly #path: string;
  #steps = 0;
  #version = 0;
  #saved = 0;

  /** Goes on from the checkpoint if there is one. */
  constructor(path: string) {
    this.#path = path;
    seed(1);
    this.#net = module(seq("sequential", ["linear", "hidden", width, 32], "tanh", ["linear", "output", 32, 1]));
    this.#optimizer = opt("adamw", this.#net, { lr: 0.003 });
    if (existsSync(path)) {
      const { steps } = load(path, { net: this.#net, optimizer: this.#optimizer });
      this.#steps = Number(steps);
    }
    this.#published = clone(this.#net);
    this.#version = this.#saved = this.#steps;
  }

  /** Steps of the training. A step takes the trips from `batch * steps` on. */
  get steps(): number {
    return this.#steps;
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
    return skipped(this.#optimizer);
  }

  /** Answers for trips, in one forward pass. */
  estimate(trips: readonly Trip[]): readonly Estimate[] {
    const outputs = scoped(() => tensor(evaluate(this.#published, trips.map(inputsOf)), { dimensions: 2 }));
    return outputs.map(([output = Number.NaN]) => ({ minutes: minutesOf(output), version: this.#version }));
  }

  /** Makes a training step. Returns the loss before it. */
  train(trips: readonly MadeTrip[]): number {
    const loss = scoped(() => {
      const loss = mse(
        forward(this.#net, trips.map(inputsOf)),
        trips.map((trip) => [targetOf(trip)]),
      );
      backward(loss);
      step(this.#optimizer, { zerograd: true, clipnorm: 1, nonfinite: "skip" });
      return tensor(loss, { dimensions: 0 });
    });
    this.#steps += 1;
    if (this.#steps % period === 0) this.publish();
    return loss;
  }

  /** Answers with the weights of now. */
  publish(): void {
    copyparms(this.#net, this.#published);
    this.#version = this.#steps;
  }

  /** Saves weights, optimizer and position in one file, which is replaced at once or not at all. */
  save(): void {
    save(this.#path, { net: this.#net, optimizer: this.#optimizer, steps: this.#steps });
    this.#saved = this.#steps;
  }
}
