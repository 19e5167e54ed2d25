// Passes over samples with metrics that the call states.

import type { MetricName } from "../../generated/settings.js";
import { namedOptions } from "../../values/named-options.js";
import { refuseSurplus } from "../../values/refuse.js";
import { client } from "../client.js";

/** Calls `run` or `testrun` with other metrics than those that `train` or `test` has set, which are as before afterwards. */
export function passOf(command: "run" | "testrun", settings: "train" | "test", args: readonly unknown[]): unknown {
  if (args.length < 2) return client.call(command, args);
  const [model, options, ...surplus] = args;
  refuseSurplus(command, surplus);
  const { metrics } = namedOptions<{ metrics?: unknown }>(command, options, ["metrics"]);
  if (metrics === undefined) return client.call(command, [model]);
  const before = client.call(settings, [model], command) as { readonly metrics: readonly MetricName[] };
  client.call(settings, [model, { metrics }], command);
  try {
    return client.call(command, [model]);
  } finally {
    client.call(settings, [model, { metrics: before.metrics }], command);
  }
}
