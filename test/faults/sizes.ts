// F12: absurd sizes and options are StepwellErrors, or have a result.

import { report } from "./processes.js";
import type { SizesConfig, SizesReport } from "./programs/sizes.js";
import { type Context, type Outcome, type Rig, sized } from "./rig.js";

async function table({ scale }: Context, planted?: SizesConfig["planted"]): Promise<Outcome> {
  const config: SizesConfig = planted ? { share: 1, planted } : { share: sized(scale, 10, 1, 1) };
  const { lines, problem } = await report<SizesReport>("sizes", config, { limit: 1_200_000 });
  const [result] = lines;
  if (problem !== undefined || result === undefined) return { count: 0, failures: [`${problem}`] };
  const { count, functions, failures, codes } = result;
  return { count, failures, figures: { functions, ...codes } };
}

export const absurdSizes: Rig = {
  fault: "F12",
  name: "sizes",
  about:
    "every function, layer and option with absurd sizes: a StepwellError or a result, and never the end of the process",
  run: (context) => table(context),
  planted: {
    "an error of JavaScript": (context) => table(context, "an error of JavaScript"),
    "a value that is taken in silence": (context) => table(context, "silence"),
  },
};
