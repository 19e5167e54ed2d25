// Calls on a thread of the engine or in turns of the event loop: their promises, and the signals that stop them.

import type { BindingResult } from "../binding.js";
import { StepwellError } from "../errors.js";
import type { AsynchronousClient, CallEvent, CallList, CallOptions, CallRunner, ClientCalls } from "./call-runner.js";
import { ThreadCalls } from "./thread-calls.js";
import { Thrown } from "./thrown.js";
import { Turns } from "./turns.js";

/** A call that is not over. */
interface Call extends CallOptions {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly decode: (result: BindingResult) => unknown;
  readonly abort: () => void;
  /** Lets the objects of the arguments live. */
  readonly args: readonly unknown[];
  /** The exception of `onBatch`, which has stopped it. */
  thrown?: { readonly error: unknown };
}

/**
 * Calls a command on the thread of the engine, or in turns of the event loop. The objects that it uses are `ERR_BUSY` for other calls
 * until it is over. A call that cannot start rejects, and has changed nothing.
 */
export async function callAsync(
  client: AsynchronousClient,
  command: string,
  args: readonly unknown[],
  options: CallOptions = {},
): Promise<unknown> {
  const calls = client.asynchronous((engine) => new AsynchronousCalls(engine));
  return calls.call(command, args, options);
}

function listen(signal: AbortSignal | undefined, abort: () => void): void {
  try {
    signal?.addEventListener("abort", abort, { once: true });
  } catch (error) {
    throw new Thrown(error);
  }
}

/** Removes a listener. An object in the place of a signal may throw then, which does not change the result of the call. */
function unlisten(signal: AbortSignal | undefined, abort: () => void): void {
  try {
    signal?.removeEventListener("abort", abort);
  } catch {
    // A listener that stays has no effect after its call.
  }
}

/** The asynchronous calls of an engine. */
class AsynchronousCalls implements CallList {
  readonly #engine: ClientCalls;
  readonly #runner: CallRunner;
  readonly #calls = new Map<number, Call>();

  constructor(engine: ClientCalls) {
    this.#engine = engine;
    const settle = (events: readonly CallEvent[]) => this.#settle(events);
    this.#runner = engine.binding.start ? new ThreadCalls(engine.binding, settle) : new Turns(engine, settle);
  }

  /** Starts a call, and resolves with its result. */
  async call(command: string, args: readonly unknown[], options: CallOptions): Promise<unknown> {
    const { signal, name = command, onBatch, run } = options;
    const engine = this.#engine;
    let number: number | undefined;
    const abort = () => {
      if (number !== undefined) this.#runner.stop(number);
    };
    try {
      const encoded = engine.encode(name, args);
      // Before the start, since an object in the place of a signal may throw: nothing is to start then.
      listen(signal, abort);
      if (signal?.aborted) throw signal.reason;
      const started = this.#runner.start(command, encoded, { reports: onBatch !== undefined, run });
      number = started;
      return await new Promise((resolve, reject) => {
        const decode = (result: BindingResult) => engine.decode(result, encoded);
        this.#calls.set(started, { ...options, resolve, reject, decode, abort, args });
      });
    } catch (error) {
      if (number === undefined) unlisten(signal, abort);
      if (signal?.aborted && error === signal.reason) throw error;
      if (error instanceof Thrown) throw error.error;
      throw engine.errorOf(error, args, command, name);
    }
  }

  /** Stops all calls, whose objects were freed, and rejects their promises. */
  endAll(): void {
    const calls = [...this.#calls];
    this.#calls.clear();
    for (const [number, call] of calls) {
      this.#runner.stop(number);
      unlisten(call.signal, call.abort);
      call.reject(new StepwellError("ERR_HANDLE_FREED", "reset has freed the objects of an asynchronous call"));
    }
    this.#runner.forget();
  }

  #settle(events: readonly CallEvent[]): void {
    for (const event of events) {
      const call = this.#calls.get(event.number);
      if (!call) continue;
      if ("report" in event) {
        this.#report(call, event.number, event.report);
        continue;
      }
      this.#calls.delete(event.number);
      unlisten(call.signal, call.abort);
      if ("error" in event) call.reject(event.error);
      else if (call.thrown) call.reject(new Thrown(call.thrown.error));
      else if (event.isStopped) call.reject(new Thrown(call.signal?.reason));
      else call.resolve(call.decode(event.result));
    }
  }

  #report(call: Call, number: number, report: BindingResult): void {
    if (call.thrown) return;
    try {
      call.onBatch?.(this.#engine.decode(report) as never);
    } catch (error) {
      call.thrown = { error };
      this.#runner.stop(number);
    }
  }
}
