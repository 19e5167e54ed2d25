// F18: a WebAssembly engine that stops, or whose memory is full, works again after a reset.

import { report } from "./processes.js";
import type { TrapReport, TrapsConfig } from "./programs/traps.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";

/** In bytes, 512 MiB: instances of some 64 MiB wait for the garbage collector. */
const mostMemory = 2 ** 29;

async function cycles({ scale }: Context, planted: boolean): Promise<Outcome> {
  const tally = new Tally();
  const config: TrapsConfig = { cycles: planted ? 3 : sized(scale, 12, 100, 10_000), planted };
  const { lines, problem } = await report<TrapReport>("traps", config, {
    env: { STEPWELL_ENGINE: "wasm" },
    limit: 7_200_000,
  });
  if (problem) tally.fail(problem);
  for (const line of lines) tally.check(line.problem && `cycle ${line.cycle}: ${line.problem}`);
  const rss = Math.max(...lines.map((line) => line.rss));
  if (rss > mostMemory) tally.fail(`the process had ${rss} bytes`);
  return tally.outcome({ "peak in MiB": Math.round(rss / 2 ** 20) });
}

export const wasmTraps: Rig = {
  fault: "F18",
  name: "wasm-traps",
  about:
    "a WebAssembly engine that traps, overflows its stack or fills its memory gives the same results after a reset",
  run: (context) => cycles(context, false),
  planted: { "a stopped engine that is used": (context) => cycles(context, true) },
};
