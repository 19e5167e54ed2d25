// The world of a sequence makes every call, and checks its invariants.

import * as k from "@stepwell/sdk";
import { freedBy, functions, isGradual, isReader, kindsMadeBy, passesOn } from "./functions.js";
import { differenceOf, type Image, imagesOf } from "./images.js";
import { InvariantViolation, shown, violationOf } from "./invariants.js";
import { programText } from "./program.js";
import type { Random } from "./random.js";
import { type Entry, type Kind, Shadow } from "./shadow.js";
import { EndOfOperation, isForSequence, spoiled } from "./spoil.js";

/** Magnitudes up to here cannot overflow in one call. */
const moderate = 100;
/** How often everything is looked at before and after a call. */
const lookShare = 0.12;

export interface Counts {
  /** Operations that were made. */
  operations: number;
  /** Calls by name, and those that succeeded. */
  readonly calls: Map<string, number>;
  readonly successes: Map<string, number>;
  /** Errors by code. */
  readonly errors: Map<string, number>;
}

export const isHandle = (value: unknown): value is k.AnyHandle => value instanceof k.Handle;

/** The handle that an object of the fluent layer stands for; anything else as it is. */
export function heldBy(value: unknown): unknown {
  const handle = isHandle(value) ? value : (value as { handle?: unknown } | undefined)?.handle;
  return isHandle(handle) ? handle : value;
}

export const noCounts = (): Counts => ({ operations: 0, calls: new Map(), successes: new Map(), errors: new Map() });

const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);

export class World {
  readonly shadow = new Shadow();
  /** Exceptions of closures, which arrive as they were thrown. */
  readonly thrown: unknown[] = [];
  /** How many closures are running. */
  depth = 0;
  /** Whether numbers may have become infinite, or none at all, by what was put in. */
  isTainted = false;
  /** Whether one of the next calls gets arguments that are nearly good; the operation ends with it. */
  spoils = false;
  /** Calls that succeeded and may have changed something. */
  #changes = 0;

  constructor(
    /** The choices of the operation that is being made. */
    public random: Random,
    readonly counts: Counts,
    /** Takes the program line by line, for a person. */
    readonly log: ((line: string) => void) | undefined,
  ) {}

  /** A living object of one of the kinds, if there is one. */
  any(...kinds: readonly Kind[]): Entry | undefined {
    const entries = this.shadow.of(...kinds);
    return entries.length > 0 ? this.random.pick(entries) : undefined;
  }

  /** Something was changed without a call of this world's. */
  touch(): void {
    this.#changes += 1;
  }

  /** Calls a function of the SDK. */
  call<Result = unknown>(name: string, ...given: readonly unknown[]): Result {
    if (!this.spoils || given.length === 0 || this.random.chance(0.5)) return this.#call(name, given) as Result;
    this.spoils = false;
    this.isTainted = true;
    try {
      this.#call(name, spoiled(this, given));
    } catch (error) {
      if (isForSequence(error)) throw error;
    }
    throw new EndOfOperation();
  }

  #call(name: string, args: readonly unknown[]): unknown {
    const call = functions.get(name);
    if (call === undefined) throw new Error(`no function ${name}`);
    // Only what a program can read back is kept as one.
    const line = this.log && `k.${name}(${args.map((arg) => programText(arg, this.shadow)).join(", ")})`;
    const result = this.attempt(name, () => call(...args), { line, isReader: isReader(name, args) });
    this.#drop(name, args);
    return result;
  }

  /** Frees all objects. */
  free(): void {
    this.call("free");
  }

  /** Follows a call that has freed objects. */
  #drop(name: string, args: readonly unknown[]): void {
    if (name === "reset" || (name === "free" && args.length === 0)) this.shadow.dropAll();
    for (const argument of freedBy(name, args)) this.shadow.drop(heldBy(argument));
  }

  /** Makes a call, whose handle it takes. A handle that the call has freed is reported afterwards. */
  attempt<Result>(
    name: string,
    run: () => Result,
    { line, isReader: reads = false }: { readonly line?: string | undefined; readonly isReader?: boolean } = {},
  ): Result {
    count(this.counts.calls, name);
    if (line !== undefined) this.log?.(line);
    const looks = this.random.chance(lookShare) && this.shadow.count < 30;
    const entries = looks ? this.shadow.live : [];
    const before = looks ? imagesOf(entries) : [];
    const changes = this.#changes;
    let result: Result;
    try {
      result = run();
    } catch (error) {
      this.log?.(`//   throws ${shown(error)}`);
      this.#checkError(name, error);
      if (looks && this.#changes === changes && !isGradual(name)) this.#compare(name, entries, before, shown(error));
      throw error;
    }
    count(this.counts.successes, name);
    if (!reads) this.#changes += 1;
    this.adopt(name, result);
    if (looks && reads && this.#changes === changes) this.#compare(name, entries, before, "it succeeded");
    if (looks && !isGradual(name)) this.#checkNumbers(name, entries, before);
    return result;
  }

  /** Takes the handle that a call has returned, if it is one. */
  adopt(name: string, result: unknown): void {
    // A list of results.
    if (Array.isArray(result) && result.some(isHandle)) for (const item of result) this.adopt(name, item);
    if (!isHandle(result)) return;
    if (passesOn(name) && this.shadow.lives(result)) return;
    if (this.shadow.lives(result)) throw new InvariantViolation(name, "a handle that it gave before", "");
    const { kind, number } = this.shadow.add(result);
    const expected = kindsMadeBy(name);
    if (expected && !expected.includes(kind)) throw new InvariantViolation(name, "an object of another kind", kind);
    this.log?.(`//   is h${number}, a ${kind}`);
  }

  /** The shadow and the session agree on how much lives. */
  checkCount(name: string): void {
    const live = k.handlecount();
    if (live === this.shadow.count) return;
    throw new InvariantViolation(name, "the wrong number of live handles", `${live} where ${this.shadow.count} live`);
  }

  /** Every handle stands for what it stood for. */
  checkKinds(name: string): void {
    for (const { handle, kind, number } of this.shadow.live) {
      let found: string;
      try {
        found = k.classof(handle);
      } catch (error) {
        found = shown(error);
      }
      if (found !== kind)
        throw new InvariantViolation(name, "a handle of another object", `h${number} of ${kind}: ${found}`);
    }
  }

  #checkError(name: string, error: unknown): void {
    if (isForSequence(error)) throw error;
    // An exception of a closure is the caller's.
    if (this.thrown.some((other) => Object.is(other, error))) return;
    const violation = violationOf(error);
    if (violation) throw new InvariantViolation(name, violation.invariant, violation.details);
    count(this.counts.errors, error instanceof k.StepwellError ? error.code : "the caller's");
  }

  #compare(name: string, entries: readonly Entry[], before: readonly Image[], outcome: string): void {
    const after = imagesOf(entries);
    for (const [i, { kind, number }] of entries.entries()) {
      const [old, now] = [before[i]?.text ?? "", after[i]?.text ?? ""];
      if (old === now) continue;
      const details = `${outcome}, and changed h${number}, a ${kind}: ${differenceOf(old, now)}`;
      throw new InvariantViolation(name, `a change of a ${kind} by a call that changes nothing`, details);
    }
  }

  #checkNumbers(name: string, entries: readonly Entry[], before: readonly Image[]): void {
    if (this.isTainted || before.some(({ largest }) => !(largest <= moderate))) return;
    const after = imagesOf(entries);
    for (const [i, { kind, number }] of entries.entries()) {
      const largest = after[i]?.largest ?? 0;
      if (Number.isFinite(largest)) continue;
      throw new InvariantViolation(
        name,
        "a number that is not finite",
        `in h${number}, a ${kind}, where all were moderate`,
      );
    }
  }
}
