// Options of an asynchronous call of a pass: a signal, and a function that takes the figures of each batch.

import { namedOptions } from "./named-options.js";
import { refuse } from "./refuse.js";
import { signalOf } from "./signal.js";

/** The signal and the function of options, which have nothing else. */
export function callOptions(
  where: string,
  options: unknown,
): { readonly signal?: AbortSignal; readonly onBatch?: (report: never) => void } {
  if (options === undefined) return {};
  const given = namedOptions<{ signal?: unknown; progress?: unknown }>(where, options, ["signal", "progress"]);
  const { progress } = given;
  const signal = signalOf(where, { signal: given.signal });
  if (progress !== undefined && typeof progress !== "function") refuse(`${where}: progress`, "a function", progress);
  return { ...(signal && { signal }), ...(progress && { onBatch: progress as (report: never) => void }) };
}
