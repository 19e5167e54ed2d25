// A folder of checkpoints, of which the newest and the best stay.
//
// Step and score are in the name of a file, so that there is no list that a crash could leave torn. A file under such a name is
// complete: `save` renames it when all its bytes are on the disk.

import { StepwellError } from "../../errors.js";
import { requireFiles } from "../../files/file-system.js";
import type { RunObjects, StorableObjects } from "../../types/checkpoints.js";
import { describeValue } from "../../values/describe.js";
import { namedOptions } from "../../values/named-options.js";
import { refuse } from "../../values/refuse.js";
import { save, saveAsync } from "../functions/files.js";

/** Which checkpoints of a folder stay. */
export interface CheckpointsOptions {
  /** So many of the newest. A whole number >= 1. Default: all. */
  readonly keep?: number;
  /** So many with the best scores in addition; each save then has a score. A whole number >= 0. Default 0. */
  readonly best?: number;
  /** The best score: the smallest, as of a loss, or the largest, as of an accuracy. Default "min". */
  readonly mode?: "min" | "max";
}

/** The place of a checkpoint in a training. */
export interface CheckpointPlace {
  /** Steps or epochs so far. A whole number, at least the step of each checkpoint in the folder. */
  readonly step: number;
  /** A figure by which checkpoints are compared, such as the loss of a validation. NaN is worse than all others. */
  readonly score?: number;
}

/** A checkpoint in a folder. */
export interface SavedCheckpoint extends CheckpointPlace {
  /** The file, for `load`. */
  readonly path: string;
}

/**
 * A folder of checkpoints. Each save adds a file, and then removes those that are neither among the newest nor among the best. Other
 * files stay. A crash before the removal leaves more files, which the next save removes. Not in a page.
 *
 * @example
 * ```ts
 * const kept = checkpoints("runs/digits", { keep: 3, best: 1 });
 * kept.save({ net, optimizer, epoch }, { step: epoch, score: loss });
 * const latest = kept.latest();
 * if (latest) load(latest.path, { net, optimizer });
 * ```
 */
export function checkpoints(folder: string, options: CheckpointsOptions = {}): Checkpoints {
  return new Checkpoints(folder, options);
}

/** A folder of checkpoints, of {@link checkpoints}. */
export class Checkpoints {
  /** The folder. */
  readonly folder: string;
  readonly #keep: number;
  readonly #best: number;
  readonly #mode: "min" | "max";

  /** Checks the arguments of {@link checkpoints}. */
  constructor(folder: string, options: CheckpointsOptions) {
    if (typeof folder !== "string" || folder === "") refuse("checkpoints", "the path of a folder", folder);
    const names = ["keep", "best", "mode"] as const;
    const { keep, best = 0, mode = "min" } = namedOptions<CheckpointsOptions>("checkpoints", options, names);
    if (keep !== undefined) whole("keep", keep, 1);
    whole("best", best, 0);
    if (mode !== "min" && mode !== "max") wrongType("mode", '"min" or "max"', mode);
    requireFiles("checkpoints");
    this.folder = folder;
    [this.#keep, this.#best, this.#mode] = [keep ?? Number.POSITIVE_INFINITY, best, mode];
  }

  /** Saves as `save(path, objects)` does, under a name of the step and the score, and removes old files. Returns the path. */
  save<Objects extends object>(objects: Objects & StorableObjects<Objects>, place: CheckpointPlace): string {
    const path = this.path(place);
    save(path, objects as RunObjects);
    this.prune(path);
    return path;
  }

  /** Saves as {@link save} does, on a thread of the engine. */
  async saveAsync<Objects extends object>(
    objects: Objects & StorableObjects<Objects>,
    place: CheckpointPlace,
  ): Promise<string> {
    const path = this.path(place);
    await saveAsync(path, objects as RunObjects);
    this.prune(path);
    return path;
  }

  /** The checkpoint of the greatest step; undefined if there is none. */
  latest(): SavedCheckpoint | undefined {
    return this.entries().at(-1);
  }

  /** The checkpoint of the best score, the newest of several; undefined if none has a score. */
  best(): SavedCheckpoint | undefined {
    return this.#ranked(this.entries())[0];
  }

  /** All checkpoints of the folder, in ascending order of steps. */
  entries(): SavedCheckpoint[] {
    const { readdirSync } = process.getBuiltinModule("node:fs");
    let names: readonly string[];
    try {
      names = readdirSync(this.folder);
    } catch (error) {
      if (isMissing(error)) return [];
      throw failed(`cannot read ${this.folder}`, error);
    }
    const found = [...names].sort().flatMap((name) => {
      const place = placeOf(name);
      return place ? [{ ...place, path: this.#pathOf(name) }] : [];
    });
    return found.sort((a, b) => a.step - b.step);
  }

  /**
   * Makes the folder, and returns the path for a checkpoint. For a program that saves it in its own way, and then calls
   * {@link prune}.
   */
  path(place: CheckpointPlace): string {
    const { step, score } = namedOptions<CheckpointPlace>("checkpoints", place, ["step", "score"]);
    whole("step", step, 0);
    if (score !== undefined && typeof score !== "number") wrongType("score", "a number", score);
    if (score === undefined && this.#best > 0) refuse("checkpoints: score", "a number, for the best", score);
    const latest = this.latest();
    if (latest && latest.step > step)
      refuse("checkpoints: step", `at least ${latest.step}, as of ${latest.path}`, step);
    try {
      makeFolder(this.folder);
    } catch (error) {
      throw failed(`cannot make ${this.folder}`, error);
    }
    return this.#pathOf(nameOf(step, score));
  }

  /** Removes all checkpoints that are not to stay, the oldest first, after one of a path was saved. Returns the removed paths. */
  prune(saved: string): string[] {
    const { unlinkSync } = process.getBuiltinModule("node:fs");
    const all = this.entries();
    const step = all.find(({ path }) => path === saved)?.step;
    // A step that was saved before, with another score.
    const entries = all.filter((entry) => entry.step !== step || entry.path === saved);
    const kept = new Set([...entries.slice(-this.#keep), ...this.#ranked(entries).slice(0, this.#best)]);
    const removed = all.filter((entry) => !kept.has(entry)).map(({ path }) => path);
    for (const path of removed) {
      try {
        unlinkSync(path);
      } catch (error) {
        if (!isMissing(error)) throw failed(`${saved} is saved, but cannot remove ${path}`, error);
      }
    }
    return removed;
  }

  #pathOf(name: string): string {
    return process.getBuiltinModule("node:path").join(this.folder, name);
  }

  /** Checkpoints with a score, the best first, and of equal ones the newest. */
  #ranked(entries: readonly SavedCheckpoint[]): SavedCheckpoint[] {
    const isBetter = (a: number, b: number) =>
      (this.#mode === "min" ? a < b : a > b) || (Number.isNaN(b) && !Number.isNaN(a));
    const order = (a: SavedCheckpoint, b: SavedCheckpoint) => {
      const [one, other] = [a.score as number, b.score as number];
      return Number(isBetter(other, one)) - Number(isBetter(one, other)) || b.step - a.step;
    };
    return entries.filter(({ score }) => score !== undefined).sort(order);
  }
}

/** In digits: names of up to so many steps sort as their numbers do. */
const STEP_DIGITS = 10;

function nameOf(step: number, score?: number): string {
  const suffix = score === undefined ? "" : `-score-${score}`;
  return `step-${String(step).padStart(STEP_DIGITS, "0")}${suffix}.safetensors`;
}

/** The place that a name states; undefined for any other name. */
function placeOf(name: string): CheckpointPlace | undefined {
  const [, digits, number] = /^step-(\d+)(?:-score-(.+))?\.safetensors$/.exec(name) ?? [];
  const step = Number(digits);
  const score = number === undefined ? undefined : Number(number);
  if (nameOf(step, score) !== name) return undefined;
  return score === undefined ? { step } : { step, score };
}

/** Makes a folder and those around it, and syncs what it has changed: without it a power cut loses the folder with its files. */
function makeFolder(folder: string): void {
  const { closeSync, fsyncSync, mkdirSync, openSync, statSync } = process.getBuiltinModule("node:fs");
  const { dirname } = process.getBuiltinModule("node:path");
  const parent = dirname(folder);
  const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  try {
    // With `recursive`, it never returns where the system answers ENOENT for a folder in one that exists, as in /proc.
    mkdirSync(folder);
  } catch (error) {
    if (isFolder(folder)) return;
    if (!isMissing(error) || parent === folder || isFolder(parent)) throw error;
    makeFolder(parent);
    makeFolder(folder);
    return;
  }
  // Windows does not open folders.
  if (process.platform === "win32") return;
  const file = openSync(parent, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function whole(name: string, given: unknown, least: number): void {
  if (typeof given !== "number") wrongType(name, "a whole number", given);
  if (Number.isSafeInteger(given) && given >= least) return;
  const message = `checkpoints: ${name}: expected a whole number >= ${least}, given ${describeValue(given)}`;
  throw new StepwellError("ERR_OPTION_RANGE", message);
}

function wrongType(name: string, expected: string, given: unknown): never {
  throw new StepwellError(
    "ERR_OPTION_TYPE",
    `checkpoints: ${name}: expected ${expected}, given ${describeValue(given)}`,
  );
}

const isMissing = (error: unknown): boolean => (error as { readonly code?: unknown }).code === "ENOENT";

const failed = (what: string, error: unknown): StepwellError =>
  new StepwellError("ERR_FILE", `checkpoints: ${what}: ${(error as Error).message}`, { cause: error });
