// F9: workers that train and end, or are terminated in the middle of a step.

import { report } from "./processes.js";
import type { Ending } from "./programs/worker.js";
import type { RoundReport, RoundsConfig } from "./programs/worker-rounds.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";

async function storm({ scale, seed, remaining }: Context, planted?: Ending): Promise<Outcome> {
  const tally = new Tally();
  const config: RoundsConfig = {
    workers: planted ? 2 : sized(scale, 4, 8, 20),
    rounds: planted ? 1 : sized(scale, 2, 25, 500),
    seed,
    limit: planted ? 5_000 : 25_000,
    seconds: remaining(),
    ...(planted ? { planted } : {}),
  };
  const { lines, problem } = await report<RoundReport>("worker-rounds", config, { limit: 7_200_000 });
  if (problem) tally.fail(problem);
  for (const { round, problems } of lines) {
    tally.count += config.workers;
    for (const text of problems) tally.fail(`round ${round}: ${text}`);
  }
  const [tenth, last] = [lines[Math.floor(lines.length / 5)], lines.at(-1)];
  const growth = tenth && last ? last.rss - tenth.rss : 0;
  return tally.outcome({
    workers: config.workers,
    rounds: lines.length,
    "growth in MiB": Math.round(growth / 2 ** 20),
  });
}

export const workerStorm: Rig = {
  fault: "F9",
  name: "workers",
  about: "workers that train and end in several ways, or are terminated in a step: none hangs for 25 s or fails",
  run: (context) => storm(context),
  planted: {
    "a worker that does not end": (context) => storm(context, "stay"),
    "a worker that fails": (context) => storm(context, "fail"),
  },
};
