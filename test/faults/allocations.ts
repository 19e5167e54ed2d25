// F13: if an allocation of libtorch fails, the call fails with ERR_MEMORY and changes nothing, or completes.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileLibrary, compilerProblem } from "./c-library.js";
import { report } from "./processes.js";
import type { AllocationsConfig, AllocationsReport } from "./programs/allocations.js";
import { type Context, type Outcome, type Rig, Tally } from "./rig.js";

async function sweep({ folder, scale }: Context, planted: boolean): Promise<Outcome> {
  const tally = new Tally();
  const library = compileLibrary("failing-allocations.c", folder);
  const control = join(folder, "control");
  writeFileSync(control, Buffer.alloc(40));
  const config: AllocationsConfig = { folder, control, isQuick: scale === "quick", planted };
  const env = { LD_PRELOAD: library, STEPWELL_FAILING_ALLOCATIONS: control };
  const { lines, problem } = await report<AllocationsReport>("allocations", config, { env, limit: 1_200_000 });
  if (problem) tally.fail(problem);
  for (const { scenario, failures, problems } of lines) {
    tally.count += failures;
    for (const text of problems) tally.fail(`${scenario}: ${text}`);
  }
  if (tally.count === 0) tally.fail("no allocation has failed");
  return tally.outcome({ scenarios: lines.length });
}

export const failingAllocations: Rig = {
  fault: "F13",
  name: "allocations",
  about:
    "steps, passes, saves and loads in which the k-th allocation of libtorch fails, for every k, once and from then on",
  problem: () => (process.platform === "linux" ? compilerProblem() : "it needs Linux"),
  run: (context) => sweep(context, false),
  planted: { "a step in two halves": (context) => sweep(context, true) },
};
