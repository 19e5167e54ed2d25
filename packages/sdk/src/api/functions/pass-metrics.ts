// Passes over samples with metrics that the call states.

import type { MetricName } from "../../generated/settings.js";
import { namedOptions } from "../../values/named-options.js";
import { refuseSurplus } from "../../values/refuse.js";
import { client } from "../client.js";

/** Sets metrics of a model for a call of a command, and returns what sets those that it had. */
function setMetrics(command: string, settings: "train" | "test", model: unknown, metrics: unknown): () => void {
  const before = client.call(settings, [model], command) as { readonly metrics: readonly MetricName[] };
  client.call(settings, [model, { metrics }], command);
  return () => client.call(settings, [model, { metrics: before.metrics }], command);
}

/** Calls `run` or `testrun` with other metrics than those that `train` or `test` has set, which are as before afterwards. */
export function passOf(command: "run" | "testrun", settings: "train" | "test", args: readonly unknown[]): unknown {
  if (args.length < 2) return client.call(command, args);
  const [model, options, ...surplus] = args;
  refuseSurplus(command, surplus);
  const { metrics } = namedOptions<{ metrics?: unknown }>(command, options, ["metrics"]);
  if (metrics === undefined) return client.call(command, [model]);
  const reset = setMetrics(command, settings, model, metrics);
  try {
    return client.call(command, [model]);
  } finally {
    reset();
  }
}

/** Makes an asynchronous call with other metrics of its model, which are as before once it is over. */
export async function withMetrics<Result>(
  command: string,
  settings: "train" | "test",
  model: unknown,
  metrics: unknown,
  call: () => Promise<Result>,
): Promise<Result> {
  const reset = setMetrics(command, settings, model, metrics);
  try {
    return await call();
  } finally {
    try {
      reset();
    } catch {
      // `reset` of the session has freed the model, as the call says.
    }
  }
}
