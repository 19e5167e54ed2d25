// Programs of this folder in several processes.

import { fileURLToPath } from "node:url";
import { launchProgram, type Rank } from "../group-of-processes.js";

const folder = new URL("./programs/", import.meta.url).href.replace("/test/distributed/", "/test/dist/distributed/");

/** Starts a program in several processes. */
export const launch = (program: string, size: number, config: unknown): Promise<readonly Rank[]> =>
  launchProgram(fileURLToPath(new URL(`${program}.js`, folder)), size, config);

/** The results that all processes have printed as JSON, by rank. */
export async function resultsOf<Result>(program: string, size: number, config: unknown): Promise<readonly Result[]> {
  const ranks = await launch(program, size, config);
  return Promise.all(
    ranks.map(async ({ ended }, rank) => {
      const { code, out, error } = await ended;
      if (code !== 0) throw new Error(`rank ${rank} of ${size} ended with ${code}: ${error || out}`);
      return JSON.parse(out) as Result;
    }),
  );
}
