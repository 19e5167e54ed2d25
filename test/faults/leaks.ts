// F7: objects of every kind that are made and freed, and calls that fail, leave nothing.

import { report } from "./processes.js";
import type { CreateFreeConfig, CreateFreeReport } from "./programs/create-free.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";

/** In bytes a cycle: the bar. */
const slope = 20;
/** In bytes, 8 MiB: the resident memory of a process varies by so much without a leak, by blocks of the garbage collector. */
const noise = 2 ** 23;

async function loops({ folder, scale }: Context, planted?: CreateFreeConfig["planted"]): Promise<Outcome> {
  const tally = new Tally();
  const cycles = planted ? 10_000 : sized(scale, 300, 10_000, 1_000_000);
  const config: CreateFreeConfig = { folder, cycles, ...(planted ? { planted } : {}) };
  const options = { flags: ["--expose-gc"], env: { MALLOC_ARENA_MAX: "2" }, limit: 7_200_000 };
  const { lines, problem } = await report<CreateFreeReport>("create-free", config, options);
  if (problem) tally.fail(problem);
  let most = 0;
  for (const line of lines) {
    const { kind, live, growth } = line;
    tally.check(line.problem && `${kind}: ${line.problem}`);
    if (live !== 0) tally.fail(`${kind}: ${live} objects are left after ${line.cycles} cycles`);
    if (growth > slope * line.cycles + noise)
      tally.fail(`${kind}: ${growth} bytes are left after ${line.cycles} cycles`);
    most = Math.max(most, growth / line.cycles);
  }
  return tally.outcome({ cycles, "bytes a cycle, at most": Math.round(most) });
}

export const leaks: Rig = {
  fault: "F7",
  name: "leaks",
  about:
    "loops that make and free objects of each kind, and calls that fail: the count of handles returns to 0 exactly",
  run: (context) => loops(context),
  planted: {
    "a handle that is not freed": (context) => loops(context, "a handle"),
    "memory that is kept": (context) => loops(context, "memory"),
  },
};
