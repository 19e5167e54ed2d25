// A sequence: some dozens of operations on an empty session, from a seed.

import * as k from "@stepwell/sdk";
import { CallersException, InvariantViolation, shown } from "./invariants.js";
import { names, operations } from "./operations/index.js";
import { mix, Random } from "./random.js";
import { EndOfOperation } from "./spoil.js";
import { type Counts, noCounts, World } from "./world.js";

/** A broken invariant, with the operations before it. */
export interface Failure {
  readonly seed: number;
  /** The operations that were made, by their place in the sequence. */
  readonly places: readonly number[];
  readonly call: string;
  readonly invariant: string;
  readonly message: string;
}

export interface Options {
  readonly counts?: Counts;
  /** Takes the program line by line. */
  readonly log?: ((line: string) => void) | undefined;
  /** The operations that are made, by their place in the sequence; default all. */
  readonly places?: readonly number[];
}

/** The places of a sequence's operations. */
export function placesOf(seed: number): readonly number[] {
  return Array.from({ length: 20 + (mix(seed, -1) % 60) }, (_, place) => place);
}

/** How many of the operations are calls that are bad in one thing or in all. */
const misuseShare = 0.15;
const misuse = names.filter((name) => name.startsWith("misuse"));

/** The operation at a place: its name, and the choices that it makes, whatever comes before. */
const operationAt = (seed: number, place: number) => {
  const random = new Random(mix(seed, place));
  const name = random.chance(misuseShare) ? random.pick(misuse) : random.pick(names);
  return { name, random };
};

/** Runs a sequence. The session is empty before and after. */
export function runSequence(seed: number, { counts = noCounts(), log, places }: Options = {}): Failure | undefined {
  const world = new World(new Random(seed), counts, log);
  const made: number[] = [];
  let name = "start";
  try {
    begin(seed);
    for (const place of places ?? placesOf(seed)) {
      const next = operationAt(seed, place);
      name = next.name;
      world.random = next.random;
      log?.(`// ${name}`);
      made.push(place);
      perform(world, name);
    }
    name = "end";
    world.free();
    world.checkCount("free");
    return undefined;
  } catch (error) {
    const [call, invariant] =
      error instanceof InvariantViolation ? [error.call, error.invariant] : [name, "an exception"];
    const message = `${name}: ${shown(error)}`;
    return { seed, places: made, call, invariant, message };
  } finally {
    end();
  }
}

function begin(seed: number): void {
  k.free();
  k.seed(seed);
  k.setting("alloptions", true);
  k.setting("threads", 1);
}

function end(): void {
  try {
    k.free();
  } catch {
    k.reset();
  }
}

function perform(world: World, name: string): void {
  world.counts.operations += 1;
  try {
    operations[name]?.(world);
  } catch (error) {
    if (error instanceof InvariantViolation) throw error;
    if (error instanceof EndOfOperation) return;
    const isKnown =
      error instanceof k.StepwellError ||
      error instanceof CallersException ||
      world.thrown.some((other) => Object.is(other, error));
    if (!isKnown) throw new InvariantViolation(name, "an exception", shown(error));
  }
  world.checkCount(name);
  if (world.random.chance(0.2)) world.checkKinds(name);
}
