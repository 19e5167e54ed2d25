// F17: long trainings with saves, loads and workers. Memory, open files and objects stay as they are.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { report } from "./processes.js";
import type { SoakConfig, SoakReport } from "./programs/soak.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";

/** In bytes, 8 MiB: the resident memory of a process varies by so much without a leak. */
const noise = 2 ** 23;

async function ladder(
  { folder, scale }: Context,
  rungs: readonly number[],
  planted?: SoakConfig["planted"],
): Promise<Outcome> {
  const tally = new Tally();
  let drift = 0;
  for (const steps of rungs) {
    const own = join(folder, String(steps));
    mkdirSync(own, { recursive: true });
    const config: SoakConfig = { folder: own, steps, ...(planted ? { planted } : {}) };
    const options = { flags: ["--expose-gc"], env: { MALLOC_ARENA_MAX: "2" }, limit: 7_200_000 };
    const { lines, problem } = await report<SoakReport>("soak", config, options);
    tally.count += steps;
    if (problem) tally.fail(`${steps} steps: ${problem}`);
    if (lines.length !== steps / 50) tally.fail(`${steps} steps: ${lines.length} reports`);
    const [first, last] = [lines[0], lines.at(-1)];
    if (!first || !last) continue;
    for (const line of lines) {
      const where = `${steps} steps, step ${line.step}`;
      if (line.problem) tally.fail(`${where}: ${line.problem}`);
      if (line.handles !== first.handles) tally.fail(`${where}: ${line.handles} objects instead of ${first.handles}`);
      // A worker leaves none, and may be ending.
      if (line.files > first.files + 2) tally.fail(`${where}: ${line.files} open files instead of ${first.files}`);
    }
    // After the first quarter: the allocators and the compiled code have their size.
    const settled = lines[Math.floor(lines.length / 4)] as SoakReport;
    const growth = last.rss - settled.rss;
    if (growth > settled.rss / 100 + noise) tally.fail(`${steps} steps: the memory grows by ${growth} bytes`);
    drift = Math.max(drift, growth);
  }
  return tally.outcome({ rungs: rungs.join(", "), "growth in KiB, at most": Math.round(drift / 1024), scale });
}

export const soak: Rig = {
  fault: "F17",
  name: "soak",
  about:
    "trainings of more and more steps with saves, loads and workers: memory, open files and objects stay as they are",
  run: (context) =>
    ladder(context, sized(context.scale, [50, 250], [50, 250, 1_000, 5_000], [50, 250, 1_000, 5_000, 500_000])),
  planted: {
    "a handle that is not freed": (context) => ladder(context, [250], "a handle"),
    "a file that stays open": (context) => ladder(context, [250], "a file"),
    "memory that is kept": (context) => ladder(context, [1_000], "memory"),
  },
};
