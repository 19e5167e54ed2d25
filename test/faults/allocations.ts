// F13: if an allocation of libtorch fails, the call fails with ERR_MEMORY and changes nothing, or completes.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { report } from "./processes.js";
import type { AllocationsConfig, AllocationsReport } from "./programs/allocations.js";
import { type Context, type Outcome, type Rig, Tally } from "./rig.js";

const source = fileURLToPath(new URL("failing-allocations.c", import.meta.url).href.replace("/test/dist/", "/test/"));
const compilers = [process.env.CC, "cc", "gcc", "clang"].filter((name) => name !== undefined);

function compile(folder: string): string | undefined {
  const library = join(folder, "failing-allocations.so");
  const args = ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"];
  return compilers.some((compiler) => spawnSync(compiler, args).status === 0) ? library : undefined;
}

async function sweep({ folder, scale }: Context, planted: boolean): Promise<Outcome> {
  const tally = new Tally();
  const library = compile(folder);
  if (library === undefined) throw new Error("failing-allocations.c does not compile");
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
  problem: () =>
    process.platform !== "linux"
      ? "it needs Linux"
      : compilers.some((name) => spawnSync(name, ["--version"]).status === 0)
        ? undefined
        : "there is no C compiler",
  run: (context) => sweep(context, false),
  planted: { "a step in two halves": (context) => sweep(context, true) },
};
