// Good arguments with one thing wrong, somewhere in them: most faults need arguments that are nearly good.

import { hostileValue } from "./hostile.js";
import { InvariantViolation } from "./invariants.js";
import type { World } from "./world.js";

/** Ends an operation, whose own arguments were spoiled: what it expects of its results is off. */
export class EndOfOperation extends Error {}

/** Whether an exception is for the sequence, and for no operation to catch. */
export const isForSequence = (error: unknown): boolean =>
  error instanceof InvariantViolation || error instanceof EndOfOperation;

/** The arguments with one of them spoiled. */
export function spoiled(world: World, given: readonly unknown[]): readonly unknown[] {
  const { random } = world;
  if (random.chance(0.1)) return [...given, hostileValue(world)];
  if (random.chance(0.1)) return given.slice(0, -1);
  const place = random.int(given.length);
  return given.map((argument, i) => (i === place ? spoil(world, argument) : argument));
}

function spoil(world: World, value: unknown): unknown {
  const { random } = world;
  const isList = Array.isArray(value);
  if (isList || isPlain(value)) {
    const keys = Object.keys(value);
    if (keys.length > 0 && random.chance(0.85)) {
      const copy: Record<string, unknown> = (isList ? [...value] : { ...value }) as Record<string, unknown>;
      const key = random.pick(keys);
      if (!isList && random.chance(0.15)) delete copy[key];
      else copy[key] = spoil(world, copy[key]);
      return copy;
    }
  }
  if (typeof value === "number" && random.chance(0.3))
    return random.pick([-value, value + 0.5, value * 1e300, 2 ** 53]);
  if (ArrayBuffer.isView(value) && "slice" in value && random.chance(0.5)) {
    return (value as unknown as Float32Array).slice(1);
  }
  return hostileValue(world);
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
