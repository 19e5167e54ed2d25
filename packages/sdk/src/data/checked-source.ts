// Validates a source before a pass begins. Nothing of it is read.

import { StepwellError } from "../errors.js";
import type { DataSource, Items, ShuffleOptions, SourceStart } from "../types/data-sources.js";
import { namedOptions } from "../values/named-options.js";
import { isDictionary, isRevoked } from "../values/plain-data.js";
import { refuse } from "../values/refuse.js";
import { isSinglePass } from "./open-source.js";

/** A source whose entries are valid. */
export interface CheckedSource {
  readonly kind: "samples" | "batches";
  readonly items: Items<unknown> | ((start: SourceStart) => Items<unknown> | PromiseLike<Items<unknown>>);
  readonly count: number | undefined;
  readonly skips: boolean;
}

const kinds = ["samples", "batches"] as const;

/** Whether data are a source, and not inputs and targets in memory. */
export function isSource(data: unknown): data is DataSource & Readonly<Record<string, unknown>> {
  if (typeof data !== "object" || data === null || isRevoked(data) || !isDictionary(data)) return false;
  return kinds.some((kind) => kind in data);
}

/** A valid source, and the other entries of its object. */
export function readSource(where: string, given: object): readonly [CheckedSource, object] {
  const { samples, batches, count, skips = false, ...others } = given as Record<string, unknown>;
  if ((samples === undefined) === (batches === undefined)) {
    const given = samples === undefined ? "neither" : "both";
    throw new StepwellError("ERR_ARGUMENT", `${where}: expected samples or batches, given ${given}`);
  }
  const kind = samples === undefined ? "batches" : "samples";
  const items = samples ?? batches;
  if ((typeof items !== "object" && typeof items !== "function") || items === null || isRevoked(items)) {
    refuse(`${where}: ${kind}`, "an iterable, a stream or a function that returns one", items);
  }
  if (count !== undefined) requireWhole(`${where}: count`, count, 1);
  if (typeof skips !== "boolean") refuse(`${where}: skips`, "a boolean", skips);
  if (skips && typeof items !== "function") refuse(`${where}: skips`, `a function as ${kind}`, items);
  const known = Array.isArray(items) ? items.length : undefined;
  if (known === 0) {
    throw new StepwellError("ERR_SHAPE", `${where}: expected at least one batch, given too few samples for one`);
  }
  if (known !== undefined && count !== undefined && known !== count) {
    const message = `${where}: count: expected the length of the array, ${known}, given ${count}`;
    throw new StepwellError("ERR_ARGUMENT", message);
  }
  const checked = { kind, items, count: (count as number | undefined) ?? known, skips } as CheckedSource;
  return [checked, others];
}

/** Fails for a source of one pass that is to be read several times. */
export function requirePasses(where: string, { kind, items }: CheckedSource, passes: number): void {
  if (passes < 2 || !isSinglePass(items)) return;
  const expected = `expected ${kind} that begin again for ${passes} passes: a function that returns a new iterable, or an array`;
  throw new StepwellError(
    "ERR_ARGUMENT",
    `${where}: ${expected}, given an iterator or a stream, which is spent after one`,
  );
}

/** Items of a buffer, if the options of a shuffle leave it out, as Hugging Face's `datasets` has it. */
const BUFFER = 1000;

/** The options of a shuffle; undefined for none. */
export function readShuffle(where: string, given: unknown): Required<ShuffleOptions> | { buffer: number } | undefined {
  if (given === undefined || given === false) return undefined;
  if (given === true) return { buffer: BUFFER };
  const options = namedOptions<ShuffleOptions>(where, given, ["buffer", "seed"]);
  const { buffer = BUFFER } = options;
  requireWhole(`${where}: buffer`, buffer, 1);
  if (options.seed !== undefined) requireWhole(`${where}: seed`, options.seed, 0);
  return { ...options, buffer };
}

/** Fails unless a value is a whole number that is large enough. */
export function requireWhole(where: string, value: unknown, least: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < least) refuse(where, `a whole number >= ${least}`, value);
}
