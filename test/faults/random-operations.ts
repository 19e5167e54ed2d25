// F8: long random sequences of calls, compared with a model of what must hold, on both engines.

import { runChild } from "../random-operations/parent.js";
import type { Line } from "../random-operations/report.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";

async function sequences({ scale, seed, isOver }: Context): Promise<Outcome> {
  const tally = new Tally();
  const wanted = sized(scale, 500, 20_000, 1_000_000);
  for (const engine of ["native", "wasm"]) {
    let first = seed;
    // A process makes a chunk, since an abort ends it.
    for (let made = 0; made < wanted && !isOver(); ) {
      const chunk = Math.min(20_000, wanted - made);
      let operations = 0;
      const take = (line: Line) => {
        if (line.type === "failure") tally.fail(`${engine}, seed ${line.failure.seed}: ${line.failure.message}`);
        if (line.type === "sequence") operations = line.operations;
      };
      const end = await runChild(engine, ["--here", "--seed", String(first), "--operations", String(chunk)], take);
      if (end.reason) tally.fail(`${engine}, seed ${end.seed}: ${end.reason}`);
      first = end.lastSeed + 1;
      made += Math.max(operations, 1);
      tally.count += operations;
    }
  }
  return tally.outcome();
}

export const randomOperations: Rig = {
  fault: "F8",
  name: "random-operations",
  about: "random calls of every function, good and bad, against a model of handles, values and states, on both engines",
  smallRun: "test/random-operations",
  run: sequences,
  planted: {},
};
