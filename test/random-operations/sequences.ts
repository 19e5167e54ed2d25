// Sequences one after the other, in this process; a failure is made small, and comes with its program.

import { runFitSequence } from "./fit-sequence.js";
import { keyOf } from "./report.js";
import { type Failure, runSequence } from "./sequence.js";
import { shrink } from "./shrink.js";
import type { Counts } from "./world.js";

/** One sequence in so many is one of trainings that go on while others are awaited. */
const fitShare = 40;

export interface Found {
  readonly failure: Failure;
  readonly program: readonly string[];
}

/** Runs the sequence of a seed. */
export async function runSeed(seed: number, counts: Counts): Promise<Found | undefined> {
  const failure = seed % fitShare === 0 ? await runFitSequence(seed, counts) : runSequence(seed, { counts });
  if (failure === undefined) return undefined;
  return failure.places.length === 0 ? { failure, program: [] } : small(failure);
}

/** The fewest operations that fail so, and their program. */
async function small(failure: Failure): Promise<Found> {
  const isSame = (other: Failure | undefined) => other !== undefined && keyOf(other) === keyOf(failure);
  const places = await shrink(failure.places, (places) => isSame(runSequence(failure.seed, { places })));
  const program: string[] = [];
  const again = runSequence(failure.seed, { places, log: (line) => program.push(line) });
  return { failure: again ?? failure, program };
}
