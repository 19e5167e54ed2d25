// F14: a run that is loaded in another process, with another number of threads, goes on to the bit.

import { report } from "./processes.js";
import type { ResumeConfig, ResumeReport } from "./programs/resume.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";

async function resumed({ folder, scale }: Context, without?: ResumeConfig["without"]): Promise<Outcome> {
  const tally = new Tally();
  const steps = without ? 20 : sized(scale, 20, 20, 1_000);
  for (const others of [false, true]) {
    const first: ResumeConfig = { folder, part: "save", steps, ...(others ? { threads: 1 } : {}) };
    const second: ResumeConfig = {
      ...first,
      part: "load",
      ...(others ? { threads: 2 } : {}),
      ...(without ? { without } : {}),
    };
    const saved = await report<ResumeReport>("resume", first, { limit: 3_600_000 });
    const loaded = await report<ResumeReport>("resume", second, { limit: 3_600_000 });
    for (const problem of [saved.problem, loaded.problem]) if (problem) tally.fail(problem);
    for (const [i, { run, digest }] of saved.lines.entries()) {
      const where = `${run}${others ? ", another number of threads" : ""}`;
      tally.check(loaded.lines[i]?.digest === digest ? undefined : `${where}: the resumed run differs`);
    }
  }
  return tally.outcome({ steps: `${steps} + ${steps}` });
}

export const exactResume: Rig = {
  fault: "F14",
  name: "resume",
  about:
    "seven optimizers, float and double, sets of options: a run goes on to the bit in another process with another thread count",
  run: (context) => resumed(context),
  planted: {
    "an optimizer that begins anew": (context) => resumed(context, "the optimizer"),
    "a generator that begins anew": (context) => resumed(context, "the generator"),
  },
};
