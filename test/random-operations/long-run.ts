// Two million operations and more: chunk after chunk, with progress, a summary, and each failure reduced.

import { reasonOf, runChild } from "./parent.js";
import { addCounts, faultOf, type Line, replayCommand, written } from "./report.js";
import { shrink } from "./shrink.js";
import type { Counts } from "./world.js";

/** Operations of a process. */
const chunk = 20_000;
/** Failures that are shown; the others are counted. */
const mostShown = 30;

/** As `placesOf` of sequence.ts, which loads an engine. */
const allPlaces = Array.from({ length: 80 }, (_, place) => place);

/** Runs so many operations; returns the exit code. */
export async function longRun(engine: string, first: number, operations: number): Promise<number> {
  const counts: Counts = { operations: 0, calls: new Map(), successes: new Map(), errors: new Map() };
  const failures = new Map<string, number>();
  let made = 0;
  let operationsOfChild = 0;
  let seed = first;
  const show = (key: string, text: () => string) => {
    const before = failures.get(key) ?? 0;
    failures.set(key, before + 1);
    if (before === 0 && failures.size <= mostShown) console.log(`\n${text()}`);
  };
  const take = (line: Line) => {
    if (line.type === "sequence" || line.type === "counts") operationsOfChild = line.operations;
    if (line.type === "failure") {
      show(faultOf(line.failure), () => written(engine, line.failure, line.program));
    }
    addCounts(counts, line);
  };
  while (made < operations) {
    const args = ["--seed", String(seed), "--operations", String(Math.min(chunk, operations - made)), "--here"];
    operationsOfChild = 0;
    const end = await runChild(engine, args, take);
    made += operationsOfChild;
    if (end.seed !== undefined) {
      const { seed: died, reason = "" } = end;
      const places = died < 0 ? [] : await smallDeath(engine, died);
      show(`sequence ${died < 0 ? "none" : places.length}: ${reason}`, () => {
        return `seed ${died}: ${reason}\n  ${replayCommand(engine, died, places)}`;
      });
      if (died < 0) return 2;
    }
    seed = end.lastSeed + 1;
    console.log(`${engine}: ${made} operations, next seed ${seed}, ${failures.size} kinds of failures`);
  }
  const calls = [...counts.calls.values()].reduce((sum, count) => sum + count, 0);
  console.log(`${engine}: ${made} operations, ${calls} calls, seeds ${first} to ${seed - 1}`);
  console.log("errors:", Object.fromEntries(counts.errors));
  console.log("failures:", Object.fromEntries(failures));
  return failures.size === 0 ? 0 : 1;
}

/** The fewest operations of a sequence with which a process dies. */
async function smallDeath(engine: string, seed: number): Promise<readonly number[]> {
  if ((await reasonOf(engine, seed, allPlaces)) === undefined) return allPlaces;
  return shrink(allPlaces, async (places) => (await reasonOf(engine, seed, places)) !== undefined);
}
