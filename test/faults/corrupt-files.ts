// F4: no damaged file is loaded, crashes the process or takes memory beyond its size.

import { cpSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { report } from "./processes.js";
import type { CorruptConfig, CorruptReport } from "./programs/corrupt.js";
import { type Context, type Outcome, type Rig, sized } from "./rig.js";

/** In bytes: 64 MiB in addition to the file, by the bar F4. */
const memory = 2 ** 26;
/** In bytes: the largest of the files has a name of a million. */
const largest = 2 ** 21;

async function corrupt({ folder, scale, seed, remaining }: Context, verify: boolean): Promise<Outcome> {
  const config: CorruptConfig = {
    folder,
    seed,
    random: verify ? sized(scale, 500, 5_000, 500_000) : 100,
    share: sized(scale, 20, 1, 1),
    bits: sized(scale, 1, 8, 8),
    verify,
    seconds: remaining(),
  };
  const { lines, problem } = await report<CorruptReport>("corrupt", config, { limit: 7_200_000 });
  const result = lines[0];
  if (problem !== undefined || result === undefined) {
    // The file that it died of is kept.
    const file = join(folder, "damaged");
    const kept = join(tmpdir(), `stepwell-damaged-${seed}`);
    if (existsSync(file)) cpSync(file, kept);
    return { count: 0, failures: [`${problem}; the file is ${kept}`] };
  }
  const { count, failures, codes, peak } = result;
  const heavy = peak > largest + memory ? [`it took ${peak} bytes`] : [];
  return { count, failures: [...failures, ...heavy], figures: { ...codes, "peak in bytes": peak } };
}

export const corruptFiles: Rig = {
  fault: "F4",
  name: "corrupt-files",
  about: "every damaged file is a StepwellError that changes nothing, in memory of the file and 64 MiB",
  run: (context) => corrupt(context, true),
  planted: { "a checksum that is not compared": (context) => corrupt(context, false) },
};
