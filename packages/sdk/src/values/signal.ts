// The signal among the options of an asynchronous call.

import { namedOptions } from "./named-options.js";
import { isRevoked } from "./plain-data.js";
import { refuse } from "./refuse.js";

/** The signal of options, which have nothing else. */
export function signalOf(where: string, options: unknown): AbortSignal | undefined {
  if (options === undefined) return undefined;
  const { signal } = namedOptions<{ signal?: unknown }>(where, options, ["signal"]);
  return checkedSignal(where, signal);
}

/** A signal, if there is one. */
export function checkedSignal(where: string, signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const { aborted, addEventListener, removeEventListener } = isRevoked(signal) ? {} : Object(signal);
  const isSignal = [addEventListener, removeEventListener].every((method) => typeof method === "function");
  if (typeof aborted !== "boolean" || !isSignal) refuse(`${where}: signal`, "an AbortSignal", signal);
  return signal as AbortSignal;
}

/**
 * The value of a promise; undefined if the signal aborts before. A race with a promise of the abort would keep every value alive until
 * then.
 */
export function unlessAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value | undefined> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => resolve(undefined);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const settle = () => signal.removeEventListener("abort", abort);
    promise.finally(settle).then(resolve, reject);
  });
}
