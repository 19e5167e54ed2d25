// Asynchronous calls of an engine without a thread: they run in turns of the event loop, one batch after the other.

import type { BindingArgument, BindingResult } from "../binding.js";
import { StepwellError } from "../errors.js";
import { soon } from "../values/event-loop.js";
import type { CallEvent, CallRunner, ClientCalls, RunOptions } from "./call-runner.js";
import { Leases } from "./leases.js";

/** In milliseconds: half of a frame at 60 Hz, so that a page draws each one. A batch that takes longer has a turn of its own. */
const MAX_TURN = 8;

/** A call that is not over. */
interface Job {
  readonly number: number;
  /** Runs it up to the next batch, whose figures are the value, or to its end, whose value is the result. */
  readonly next: () => IteratorResult<BindingResult | undefined, BindingResult>;
  isStopped: boolean;
}

/** Runs calls in turns, and tells their events. */
export class Turns implements CallRunner {
  readonly #engine: ClientCalls;
  readonly #tell: (events: readonly CallEvent[]) => void;
  readonly #leases: Leases;
  #jobs: Job[] = [];
  #last = 0;
  #isPlanned = false;

  constructor(engine: ClientCalls, tell: (events: readonly CallEvent[]) => void) {
    this.#engine = engine;
    this.#tell = tell;
    this.#leases = new Leases(engine);
  }

  start(command: string, encoded: readonly BindingArgument[], { reports, run }: RunOptions): number {
    if (this.#engine.isInFunction()) {
      const message = "a function that a step or a pass has called is running, and cannot start an asynchronous call";
      throw new StepwellError("ERR_BUSY", `${command}: ${message}`);
    }
    this.#last += 1;
    const number = this.#last;
    this.#leases.lend(number, command, encoded);
    const args = encoded.map(copied);
    const pass = command === "run" ? this.#pass(args, reports) : undefined;
    const whole = () => (run ? (run(args) as BindingResult) : this.#engine.run(command, args));
    const next = () => pass?.next() ?? { done: true, value: whole() };
    this.#jobs.push({ number, next, isStopped: false });
    this.#plan();
    return number;
  }

  stop(number: number): void {
    const job = this.#jobs.find((one) => one.number === number);
    if (job) job.isStopped = true;
  }

  forget(): void {
    this.#jobs = [];
    this.#leases.clear();
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    soon(() => {
      this.#isPlanned = false;
      this.#turn();
      if (this.#jobs.length > 0) this.#plan();
    });
  }

  /** Runs batches for some milliseconds. */
  #turn(): void {
    const end = performance.now() + MAX_TURN;
    do {
      const [job] = this.#jobs;
      if (job === undefined) return;
      const event = this.#step(job);
      if (event) this.#tell([event]);
    } while (performance.now() < end);
  }

  /** Runs a batch of a job. Its event, if there is one. */
  #step(job: Job): CallEvent | undefined {
    const { number } = job;
    let event: CallEvent;
    try {
      if (job.isStopped) event = { number, isStopped: true, result: null };
      else {
        const { done, value } = this.#leases.without(job.next);
        if (!done) return value === undefined ? undefined : { number, report: value };
        event = { number, isStopped: job.isStopped, result: value };
      }
    } catch (error) {
      event = { number, error };
    }
    this.#jobs = this.#jobs.filter((one) => one !== job);
    this.#leases.giveBack(number);
    return event;
  }

  /** A pass of training over all batches, as the command `run` makes it. */
  *#pass(
    args: readonly BindingArgument[],
    reports: boolean,
  ): Generator<BindingResult | undefined, BindingResult, undefined> {
    const { run } = this.#engine;
    const batch = reports ? [...args, true] : args;
    // The command says what is missing, and changes nothing.
    if (!this.#hasBatches(args)) return run("run", args);
    const { data } = run("generator", []) as { readonly data: Float64Array };
    try {
      run("restore", args);
      for (;;) {
        const figures = run("batch", batch);
        if (figures === null) return run("metrics", args);
        yield reports ? figures : undefined;
      }
    } catch (error) {
      // After an error the random numbers are as before the call. An engine that has stopped has none.
      try {
        run("generator", [data]);
      } catch {}
      throw this.#engine.errorOf(error, [], "batch", "run");
    }
  }

  #hasBatches(args: readonly BindingArgument[]): boolean {
    try {
      const { batchsize, droplast } = this.#engine.run("train", args) as { batchsize: number; droplast: boolean };
      const batches = (this.#engine.run("datasize", args) as number) / batchsize;
      return args.length === 1 && (droplast ? Math.floor(batches) : Math.ceil(batches)) > 0;
    } catch {
      return false;
    }
  }
}

/** An argument whose numbers the program cannot change any more. */
function copied(argument: BindingArgument): BindingArgument {
  if (typeof argument !== "object" || argument === null) return argument;
  if (ArrayBuffer.isView(argument)) return (argument as Float32Array).slice();
  if (Array.isArray(argument)) return argument.map(copied);
  return Object.fromEntries(Object.entries(argument).map(([key, value]) => [key, copied(value as BindingArgument)]));
}
