// Calls that the engine runs on a thread of its own: their promises, and the signals that stop them.

import type { Binding, BindingArgument, BindingResult } from "../binding.js";
import { StepwellError } from "../errors.js";

/** The end of a call, as the binding has it. */
type Row = readonly [number: number, code: string | null, value: BindingResult, isStopped: boolean];

/** A call that is not over. */
interface Call {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly decode: (result: BindingResult) => unknown;
  readonly signal: AbortSignal | undefined;
  readonly abort: () => void;
  /** Lets the objects of the arguments live. */
  readonly args: readonly unknown[];
}

/** The asynchronous calls of an engine. */
export class AsynchronousCalls {
  readonly #binding: Binding;
  readonly #calls = new Map<number, Call>();

  constructor(binding: Binding) {
    this.#binding = binding;
  }

  /** Starts a call, and resolves with its result. A call that cannot start rejects at once, and has changed nothing. */
  start(
    command: string,
    encoded: readonly BindingArgument[],
    args: readonly unknown[],
    signal: AbortSignal | undefined,
    decode: (result: BindingResult) => unknown,
  ): Promise<unknown> {
    const start = this.#binding.start;
    if (!start) {
      const message = `${command}Async: WebAssembly has no thread for it: call ${command}, in a worker if the page has to answer`;
      throw new StepwellError("ERR_UNSUPPORTED", message);
    }
    if (signal?.aborted) throw signal.reason;
    const number = start(command, encoded, () => this.#settle());
    return new Promise((resolve, reject) => {
      const abort = () => this.#binding.stop?.(number);
      this.#calls.set(number, { resolve, reject, decode, signal, abort, args });
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** Stops all calls, whose objects were freed, and rejects their promises. */
  endAll(): void {
    const calls = [...this.#calls];
    this.#calls.clear();
    for (const [number, call] of calls) {
      this.#binding.stop?.(number);
      call.signal?.removeEventListener("abort", call.abort);
      call.reject(new StepwellError("ERR_HANDLE_FREED", "reset has freed the objects of an asynchronous call"));
    }
  }

  #settle(): void {
    const rows = (this.#binding.takeFinished?.() ?? []) as unknown as readonly Row[];
    for (const [number, code, value, isStopped] of rows) {
      const call = this.#calls.get(number);
      if (!call) continue;
      this.#calls.delete(number);
      call.signal?.removeEventListener("abort", call.abort);
      if (code !== null) call.reject(Object.assign(new Error(String(value)), { code }));
      else if (isStopped) call.reject(call.signal?.reason);
      else call.resolve(call.decode(value));
    }
  }
}
