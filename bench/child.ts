// The program of tch-adam/, asked over its input and output.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Model } from "./models.js";

/** tch's Adam over a model's parameters, in a process of its own that sleeps while it is not asked. */
export class Child {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor(program: string, model: Model, threads: number | undefined) {
    const limit = threads === undefined ? {} : { OMP_NUM_THREADS: String(threads) };
    const shapes = model.shapes.map((shape) => shape.join("x"));
    this.#process = spawn(program, shapes, {
      env: { ...process.env, ...limit },
      stdio: ["pipe", "pipe", "inherit"],
    });
    // A child that cannot be started or dies ends its output, and `#number` says so.
    this.#process.on("error", (error) => console.error(error.message));
    this.#process.stdin.on("error", () => {});
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** Starts it with as many threads as libtorch wants, or with that many. */
  static async start(program: string, model: Model, threads?: number): Promise<Child & { readonly threads: number }> {
    const child = new Child(program, model, threads);
    return Object.assign(child, { threads: await child.#number() });
  }

  /** Makes steps; microseconds for each. */
  async step(steps: number): Promise<number> {
    this.#process.stdin.write(`${steps}\n`);
    return (await this.#number()) / 1000 / steps;
  }

  /** Ends it; the sum of all parameters' absolute values. */
  async end(): Promise<number> {
    this.#process.stdin.end();
    return this.#number();
  }

  async #number(): Promise<number> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("The program that times tch's Adam ended too early.");
    return Number(value);
  }
}
