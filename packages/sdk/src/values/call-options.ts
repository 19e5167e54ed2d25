// Options of an asynchronous call of a pass: a signal, a function that takes the figures of each batch, and metrics.

import { namedOptions } from "./named-options.js";
import { refuse } from "./refuse.js";
import { signalOf } from "./signal.js";

/** The signal, the function and the metrics of options, which have nothing else. The engine says which metrics there are. */
export function callOptions(
  where: string,
  options: unknown,
): { readonly signal?: AbortSignal; readonly onBatch?: (report: never) => void; readonly metrics?: unknown } {
  if (options === undefined) return {};
  const names = ["signal", "progress", "metrics"] as const;
  const given = namedOptions<{ signal?: unknown; progress?: unknown; metrics?: unknown }>(where, options, names);
  const { progress, metrics } = given;
  const signal = signalOf(where, { signal: given.signal });
  if (progress !== undefined && typeof progress !== "function") refuse(`${where}: progress`, "a function", progress);
  return { ...(signal && { signal }), ...(progress && { onBatch: progress as (report: never) => void }), metrics };
}
