// A contender in a process of its own. A request is a line of JSON on its input, the answer a line of numbers on its output.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Shape } from "./numbers.js";

/** The setup of a contender, before `step` makes steps. */
export type Request =
  | {
      readonly do: "make";
      readonly implementation: string;
      readonly optimizer: string;
      readonly options: Readonly<Record<string, number | boolean>>;
      readonly shapes: readonly Shape[];
      /** Default the CPU. */
      readonly device?: string;
      /** Default float. */
      readonly dtype?: "float" | "bfloat16";
    }
  /** The training of the demo's classifier on a batch that stays the same. */
  | { readonly do: "train"; readonly implementation: string; readonly batch: number }
  /** The training of examples/digits with its digits, in whole epochs. */
  | { readonly do: "demo" }
  /** Conversions: nested arrays of a table of numbers into a tensor, or a tensor into nested arrays. */
  | {
      readonly do: "convert";
      readonly to: "tensor" | "lists";
      readonly shape: readonly [rows: number, columns: number];
    }
  /** The training of examples/gpt on a batch that stays the same, with AdamW. A step has `batch` times 64 tokens. */
  | { readonly do: "gpt"; readonly batch: number }
  /** A chain of operations on 16 elements: add, mul, tanh and sub in turn. A step is 200 of them. */
  | { readonly do: "operations"; readonly gradient: boolean }
  /** The cheapest calls. */
  | { readonly do: "call" };

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

/** One timing. */
export interface Turn {
  /** For a step. */
  readonly microseconds: number;
  /** Page faults during all steps, if the contender counts them. */
  readonly faults: number | undefined;
}

/** A contender's process, which sleeps between requests. */
export class Child {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #name: string;
  /** Once its memory is free again. */
  readonly ended: Promise<void>;

  private constructor(name: string, program: Program, threads: number) {
    this.#name = name;
    this.#process = spawn(program.command, program.args, {
      // The number of threads of libtorch and other users of OpenMP.
      env: { ...process.env, OMP_NUM_THREADS: String(threads) },
      stdio: ["pipe", "pipe", "inherit"],
    });
    // A child that cannot be started or dies ends its output, and `#line` says so.
    this.#process.on("error", (error) => console.error(error.message));
    this.#process.stdin.on("error", () => {});
    this.ended = new Promise((resolve) => this.#process.once("close", () => resolve()));
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** Starts the process and waits for its first line, the number of its threads. */
  static async start(name: string, program: Program, threads: number): Promise<Child> {
    const child = new Child(name, program, threads);
    const [actual] = await child.#line();
    // A contender with a single thread reports 1 and is timed so.
    if (actual !== threads && actual !== 1) throw new Error(`${name} runs on ${actual} threads instead of ${threads}.`);
    return child;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  async make(request: Request): Promise<void> {
    await this.#ask(request);
  }

  /** Makes steps. */
  async step(steps: number): Promise<Turn> {
    const [nanoseconds = Number.NaN, faults] = await this.#ask({ do: "step", steps });
    return { microseconds: nanoseconds / 1000 / steps, faults };
  }

  /** Makes steps on a device: nanoseconds of the calls alone, and until the device has finished. */
  async stepOnDevice(steps: number): Promise<{ readonly called: number; readonly finished: number }> {
    const [called = Number.NaN, finished = Number.NaN] = await this.#ask({ do: "step", steps });
    return { called, finished };
  }

  /** A checksum: equal for all contenders that made equal steps. */
  async check(): Promise<number> {
    const [number = Number.NaN] = await this.#ask({ do: "moved" });
    return number;
  }

  /** Drops the model and the optimizer. */
  async drop(): Promise<void> {
    await this.#ask({ do: "drop" });
  }

  end(): void {
    this.#process.stdin.end();
  }

  /** Ends a process that may be at work. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async #ask(request: object): Promise<readonly number[]> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    return this.#line();
  }

  async #line(): Promise<readonly number[]> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#name} ended too early.`);
    const numbers = value.split(" ").map(Number);
    if (numbers.some(Number.isNaN) && value !== "NaN") throw new Error(`${this.#name}: ${value}`);
    return numbers;
  }
}
