// Saves a training to a file, and loads it again.

import { handleOf } from "../../client/encode.js";
import { hasCode, StepwellError } from "../../errors.js";
import { requireFiles } from "../../files/file-system.js";
import type { MetricName } from "../../generated/settings.js";
import type { ModuleHandle, OptimizerHandle } from "../../handle.js";
import type { RunObjects, RunTargets } from "../../types/checkpoints.js";
import { namedOptions } from "../../values/named-options.js";
import { isDictionary, isRevoked } from "../../values/plain-data.js";
import { refuse } from "../../values/refuse.js";
import { client } from "../client.js";
import { load, save } from "../functions/files.js";
import type { Call } from "./batch-calls.js";
import { Checkpoints } from "./checkpoints.js";
import type { CheckpointOptions, TrainingPosition } from "./fit-types.js";

/** Names of a file that the training itself gives. */
const OWN = ["module", "optimizer", "training"];

/** Options of checkpoints that are valid. Not in a page, which has no files. */
export function readCheckpoint(given: unknown): CheckpointOptions {
  const where = "fit: checkpoint";
  const names = ["path", "folder", "steps", "seconds", "resume", "objects"] as const;
  const options = namedOptions<CheckpointOptions>(where, given, names);
  const { path, folder, steps, seconds, resume, objects } = options;
  requireFiles(where);
  if ((path === undefined) === (folder === undefined)) {
    const message = `${where}: expected path or folder, given ${path === undefined ? "neither" : "both"}`;
    throw new StepwellError("ERR_ARGUMENT", message);
  }
  if (path !== undefined && (typeof path !== "string" || path === "")) {
    refuse(`${where}: path`, "the path of a file", path);
  }
  if (folder !== undefined && !(folder instanceof Checkpoints)) {
    refuse(`${where}: folder`, "a result of checkpoints", folder);
  }
  if (steps !== undefined && !(Number.isSafeInteger(steps) && steps >= 1)) {
    refuse(`${where}: steps`, "a whole number >= 1", steps);
  }
  if (seconds !== undefined && !(typeof seconds === "number" && seconds > 0)) {
    refuse(`${where}: seconds`, "a number > 0", seconds);
  }
  if (resume !== undefined && typeof resume !== "boolean") refuse(`${where}: resume`, "a boolean", resume);
  if (objects === undefined) return options;
  if (typeof objects !== "object" || objects === null || isRevoked(objects) || !isDictionary(objects)) {
    refuse(`${where}: objects`, "a dictionary", objects);
  }
  const own = OWN.find((name) => name in objects);
  if (own !== undefined) refuse(`${where}: objects`, `other names than ${OWN.join(", ")}`, own);
  return { ...options, objects: { ...objects } };
}

/** The score of a file in a folder. */
interface Score {
  readonly metric: Exclude<MetricName, "batchloss">;
  /** Whether it is a figure of the validation. */
  readonly isValidated: boolean;
}

/** The files of a training. */
export class Checkpoint {
  readonly #options: CheckpointOptions;
  readonly #objects: { readonly module: ModuleHandle; readonly optimizer: OptimizerHandle };
  readonly #call: Call;
  readonly #score: Score;
  #step = 0;
  #time = performance.now();

  constructor(
    options: CheckpointOptions,
    score: Score,
    objects: { readonly module: ModuleHandle; readonly optimizer: OptimizerHandle },
    call: Call,
  ) {
    this.#options = options;
    this.#score = score;
    this.#objects = objects;
    this.#call = call;
  }

  /** The position in the file, from which objects were set; undefined if there is no file, or if the training is not to go on. */
  async load(): Promise<TrainingPosition | undefined> {
    const { folder, resume } = this.#options;
    const path = this.#options.path ?? folder?.latest()?.path;
    if (!resume || path === undefined) return undefined;
    const given = Object.entries(this.#options.objects ?? {}).filter(([, value]) => handleOf(value) !== undefined);
    try {
      const targets = { ...Object.fromEntries(given), ...this.#objects };
      const { training } = (await this.#loaded(path, targets)) as { training?: TrainingPosition };
      if (training === undefined) {
        const message = `fit: checkpoint: expected the file of a training, given ${path} without a position`;
        throw new StepwellError("ERR_FORMAT", message);
      }
      return training;
    } catch (error) {
      // The codes of systems for a file or a folder that does not exist.
      const isMissing = hasCode(error, "ERR_FILE") && /\(os error [23]\)$/.test((error as Error).message);
      if (!isMissing) throw error;
      return undefined;
    }
  }

  async #loaded(path: string, targets: RunTargets): Promise<unknown> {
    return client.hasFiles ? this.#call("load", path, targets) : load(path, targets);
  }

  /** Begins a training after a step. A folder must not have a file of a later step. */
  begin(step: number): void {
    this.#options.folder?.path({ step, score: Number.NaN });
    [this.#step, this.#time] = [step, performance.now()];
  }

  /** Whether a step is one after which the training is saved. */
  isDue(step: number): boolean {
    const { steps = Number.POSITIVE_INFINITY, seconds = Number.POSITIVE_INFINITY } = this.#options;
    return step - this.#step >= steps || performance.now() - this.#time >= seconds * 1000;
  }

  /** Whether the training is saved after each epoch. */
  get isOfEpochs(): boolean {
    return this.#options.steps === undefined && this.#options.seconds === undefined;
  }

  /** Saves the training, and returns the path of the file. */
  async save(training: TrainingPosition): Promise<string> {
    const { folder, objects } = this.#options;
    const { step } = training;
    const path = this.#options.path ?? (folder as Checkpoints).path({ step, score: this.#scoreOf(training) });
    const saved = { ...objects, ...this.#objects, training };
    if (client.hasFiles) await this.#call("save", path, saved);
    else save(path, saved as unknown as RunObjects);
    folder?.prune(path);
    [this.#step, this.#time] = [step, performance.now()];
    return path;
  }

  /** The metric of the last epoch in which it was measured. */
  #scoreOf({ epochs }: TrainingPosition): number {
    const { metric, isValidated } = this.#score;
    const figures = epochs.flatMap((epoch) => (isValidated ? (epoch.validation ?? []) : epoch));
    return figures.at(-1)?.[metric] ?? Number.NaN;
  }
}
