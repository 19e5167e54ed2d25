// F8: long random sequences of calls, compared with a model of what must hold, on both engines.

import { runChild } from "../random-operations/parent.js";
import type { Line } from "../random-operations/report.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";

async function sequences({ scale, seed, isOver }: Context): Promise<Outcome> {
  const tally = new Tally();
  const wanted = sized(scale, 500, 20_000, 1_000_000);
  const engines = [
    { engine: "native", first: seed, made: 0 },
    { engine: "wasm", first: seed, made: 0 },
  ];
  const outcome = () => tally.outcome(Object.fromEntries(engines.map(({ engine, made }) => [engine, made])));
  // Engines take turns, so that a time limit leaves none out. A process makes a chunk, since an abort ends it.
  while (engines.some(({ made }) => made < wanted)) {
    for (const turn of engines) {
      if (isOver()) return outcome();
      const { engine, first, made } = turn;
      const chunk = Math.min(5_000, wanted - made);
      if (chunk <= 0) continue;
      let operations = 0;
      const take = (line: Line) => {
        if (line.type === "failure") tally.fail(`${engine}, seed ${line.failure.seed}: ${line.failure.message}`);
        if (line.type === "sequence") operations = line.operations;
      };
      const end = await runChild(engine, ["--here", "--seed", String(first), "--operations", String(chunk)], take);
      if (end.reason) tally.fail(`${engine}, seed ${end.seed}: ${end.reason}`);
      turn.first = end.lastSeed + 1;
      turn.made += Math.max(operations, 1);
      tally.count += operations;
    }
  }
  return outcome();
}

export const randomOperations: Rig = {
  fault: "F8",
  name: "random-operations",
  about: "random calls of every function, good and bad, against a model of handles, values and states, on both engines",
  smallRun: "test/random-operations",
  run: sequences,
  planted: {},
};
