// A short run of every rig, and of its planted bugs; `npm run test:faults` makes the long one.

import { describe, expect, it } from "vitest";
import { runRig } from "./run.js";
import { rigs } from "./table.js";

describe.each(rigs.filter(({ smallRun }) => smallRun === undefined))("$fault $name", (rig) => {
  const problem = rig.problem?.();

  it.skipIf(problem)(`${rig.about}${problem ? ` (not run: ${problem})` : ""}`, async () => {
    const { outcome, planted } = await runRig(rig, { scale: "quick", seed: 1 });
    expect(outcome?.failures).toEqual([]);
    expect(outcome?.count).toBeGreaterThan(0);
    expect(planted.filter(({ isFound }) => !isFound).map(({ bug }) => bug)).toEqual([]);
  });
});
