// F11: calls that wait and calls on the engine's thread, on the same objects: each equals the order in which they began, or is ERR_BUSY.

import { report } from "./processes.js";
import type { InterleavingsConfig, InterleavingsReport, PlantedOrder } from "./programs/interleavings.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";

async function rounds({ folder, scale, seed, remaining }: Context, planted?: PlantedOrder): Promise<Outcome> {
  const tally = new Tally();
  const calls = sized(scale, 2_000, 10_000, 1_000_000);
  const config: InterleavingsConfig = { folder, seed, calls, seconds: remaining(), ...(planted ? { planted } : {}) };
  const { lines, problem } = await report<InterleavingsReport>("interleavings", config, { limit: 7_200_000 });
  if (problem) tally.fail(problem);
  let refused = 0;
  for (const line of lines) {
    tally.count += line.calls;
    refused += line.busy;
    for (const text of line.problems) tally.fail(`seed ${line.seed}: ${text}`);
  }
  // Calls that never meet would prove nothing.
  if (refused === 0 || refused === tally.count) tally.fail(`${refused} of ${tally.count} calls are busy`);
  return tally.outcome({ rounds: lines.length, busy: refused });
}

export const interleavings: Rig = {
  fault: "F11",
  name: "interleavings",
  about:
    "steps, runs, saves, loads, rates, copies and frees of the same objects in a random order: as one after the other, or ERR_BUSY",
  run: (context) => rounds(context),
  planted: {
    "a call that takes its objects too late": (context) => rounds(context, "a late start"),
    "a busy call with an effect": (context) => rounds(context, "a late effect"),
  },
};
