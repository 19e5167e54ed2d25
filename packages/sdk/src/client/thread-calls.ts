// Calls on the thread of the native engine.

import type { Binding, BindingArgument, BindingResult } from "../binding.js";
import type { CallEvent, CallRunner, RunOptions } from "./call-runner.js";

/** An event of a call, as the binding has it. `isStopped` of a batch is null. */
type Row = readonly [number: number, code: string | null, value: BindingResult, isStopped: boolean | null];

/** Starts calls on the thread, and tells their events. */
export class ThreadCalls implements CallRunner {
  readonly #binding: Binding;
  readonly #tell: (events: readonly CallEvent[]) => void;

  constructor(binding: Binding, tell: (events: readonly CallEvent[]) => void) {
    this.#binding = binding;
    this.#tell = tell;
  }

  start(command: string, encoded: readonly BindingArgument[], { reports }: RunOptions): number {
    return this.#binding.start?.(command, encoded, () => this.#wake(), reports) as number;
  }

  stop(number: number): void {
    this.#binding.stop?.(number);
  }

  forget(): void {}

  #wake(): void {
    const rows = (this.#binding.takeEvents?.() ?? []) as unknown as readonly Row[];
    this.#tell(
      rows.map(([number, code, value, isStopped]) => {
        if (code !== null) return { number, error: Object.assign(new Error(String(value)), { code }) };
        return isStopped === null ? { number, report: value } : { number, result: value, isStopped };
      }),
    );
  }
}
