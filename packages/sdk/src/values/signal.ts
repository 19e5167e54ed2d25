// The signal among the options of an asynchronous call.

import { namedOptions } from "./named-options.js";
import { refuse } from "./refuse.js";

/** The signal of options, which have nothing else. */
export function signalOf(where: string, options: unknown): AbortSignal | undefined {
  if (options === undefined) return undefined;
  const { signal } = namedOptions<{ signal?: unknown }>(where, options, ["signal"]);
  if (signal !== undefined && typeof Object(signal).aborted !== "boolean") {
    refuse(`${where}: signal`, "an AbortSignal", signal);
  }
  return signal as AbortSignal | undefined;
}
