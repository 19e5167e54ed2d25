// F10: a process ends with objects that live and work that goes on.

import { type ExitConfig, type Scene, scenes } from "./exit-scenes.js";
import { Program } from "./processes.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";

/** In milliseconds: the bar of a process that ends. */
const limit = 8_000;

async function exits({ folder, scale, isOver }: Context, chosen: readonly Scene[]): Promise<Outcome> {
  const tally = new Tally();
  const rounds = chosen.length === 1 ? 1 : sized(scale, 1, 2, 100);
  for (let round = 0; round < rounds; round++) {
    for (const scene of chosen) {
      if (isOver()) return tally.outcome();
      const config: ExitConfig = { scene, folder };
      // The limit is for the end. The start of a process on a busy machine is not counted, but for one that never ends.
      const program = new Program("exit", config, {
        flags: ["--expose-gc"],
        limit: scene === "never" ? limit : 4 * limit,
      });
      const { code, signal, stderr, hung } = await program.ended;
      const problem = hung
        ? "it does not end"
        : code !== 0 || stderr !== ""
          ? `it ended with ${signal ?? code} and said: ${stderr.slice(0, 300)}`
          : undefined;
      tally.check(problem && `${scene}: ${problem}`);
    }
  }
  return tally.outcome();
}

export const processExits: Rig = {
  fault: "F10",
  name: "exits",
  about:
    "a process with live objects, in a step, a pass, a fit or a save ends at once, with its code and without words",
  run: (context) => exits(context, scenes),
  planted: {
    "a process that does not end": (context) => exits(context, ["never"]),
    "a process with words at its end": (context) => exits(context, ["with words"]),
  },
};
