// Saves a training to a file, and loads it again.

import { handleOf } from "../../client/encode.js";
import { hasCode, StepwellError } from "../../errors.js";
import { requireFiles, requireWritable } from "../../files/file-system.js";
import { withTypedArrays } from "../../files/plain-data.js";
import type { MetricName } from "../../generated/settings.js";
import type { ModuleHandle, OptimizerHandle } from "../../handle.js";
import type { RunObjects, RunTargets } from "../../types/checkpoints.js";
import type { GeneratorState } from "../../values/generator.js";
import { namedOptions } from "../../values/named-options.js";
import { isDictionary, isInstance } from "../../values/plain-data.js";
import { refuse } from "../../values/refuse.js";
import { client } from "../client.js";
import { load, save } from "../functions/files.js";
import type { Call } from "./batch-calls.js";
import { Checkpoints } from "./checkpoints.js";
import type { CheckpointOptions, TrainingPosition } from "./fit-types.js";
import type { TrainingProcesses } from "./training-processes.js";

/** Names of a file that the training itself gives. */
const OWN = ["module", "optimizer", "training", "generators"];

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
  if (folder !== undefined && !isInstance(folder, Checkpoints)) {
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
  if (typeof objects !== "object" || objects === null || !isDictionary(objects)) {
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

/** Entries of a file besides objects. */
export interface LoadedTraining {
  /** The position, which is not checked. */
  readonly training: unknown;
  /** The generators of the processes that have saved it, if they were several. */
  readonly generators: readonly GeneratorState[] | undefined;
}

/** The files of a training. */
export class Checkpoint {
  readonly #options: CheckpointOptions;
  readonly #objects: { readonly module: ModuleHandle; readonly optimizer: OptimizerHandle };
  readonly #call: Call;
  readonly #processes: TrainingProcesses;
  readonly #score: Score;
  #step = 0;
  #time = performance.now();

  constructor(
    options: CheckpointOptions,
    score: Score,
    objects: { readonly module: ModuleHandle; readonly optimizer: OptimizerHandle },
    call: Call,
    processes: TrainingProcesses,
  ) {
    this.#processes = processes;
    this.#options = options;
    this.#score = score;
    this.#objects = objects;
    this.#call = call;
  }

  /** Sets objects from the file, and returns its other entries; undefined if there is no file, or if the training is not to go on. */
  async load(): Promise<LoadedTraining | undefined> {
    const { folder, resume } = this.#options;
    if (!resume) return undefined;
    const processes = this.#processes;
    const path = await processes.textOfFirst(this.#options.path ?? (processes.isFirst ? folder?.latest()?.path : ""));
    if (path === undefined) return undefined;
    const loaded = await processes.together(() => this.#load(path));
    const found = await processes.numbers(Number(loaded !== undefined));
    const other = found.findIndex((isFound) => isFound !== found[0]);
    if (other < 0) return loaded;
    const message = `fit: checkpoint: expected ${path} on each process, given it on rank ${found[0] ? 0 : other} and not on rank ${found[0] ? other : 0}`;
    throw new StepwellError("ERR_FILE", message);
  }

  async #load(path: string): Promise<LoadedTraining | undefined> {
    const given = Object.entries(this.#options.objects ?? {}).filter(([, value]) => handleOf(value) !== undefined);
    try {
      const targets = { ...Object.fromEntries(given), ...this.#objects };
      const { training, generators } = (await this.#loaded(path, targets)) as Partial<LoadedTraining>;
      if (training === undefined) {
        const message = `fit: checkpoint: expected the file of a training, given ${path} without a position`;
        throw new StepwellError("ERR_FORMAT", message);
      }
      return { training, generators };
    } catch (error) {
      // The codes of systems for a file or a folder that does not exist.
      const isMissing = hasCode(error, "ERR_FILE") && /\(os error [23]\)$/.test((error as Error).message);
      if (!isMissing) throw error;
      return undefined;
    }
  }

  async #loaded(path: string, targets: RunTargets): Promise<unknown> {
    return client.hasFiles ? withTypedArrays(await this.#call("load", path, targets)) : load(path, targets);
  }

  /** Fails unless the file, or the next one in a folder that has some, can be written. */
  check(): void {
    if (!this.#processes.isFirst) return;
    const path = this.#options.path ?? this.#options.folder?.latest()?.path;
    if (path !== undefined) requireWritable("fit: checkpoint", path);
  }

  /** Begins a training after a step. A folder must not have a file of a later step, and is made if there is none. */
  begin(step: number): void {
    if (this.#processes.isFirst && this.#options.folder) {
      requireWritable("fit: checkpoint", this.#options.folder.path({ step, score: Number.NaN }));
    }
    [this.#step, this.#time] = [step, performance.now()];
  }

  /** Whether a step is one after which the training is saved. The clock is the one of rank 0. */
  async isDue(step: number): Promise<boolean> {
    const { steps = Number.POSITIVE_INFINITY, seconds } = this.#options;
    if (step - this.#step >= steps) return true;
    if (seconds === undefined) return false;
    const [isDue] = await this.#processes.numbers(Number(performance.now() - this.#time >= seconds * 1000));
    return isDue === 1;
  }

  /** Whether the training is saved after each epoch. */
  get isOfEpochs(): boolean {
    return this.#options.steps === undefined && this.#options.seconds === undefined;
  }

  /** Saves the training, and returns the path of the file; undefined on the processes that do not write it. They wait for it. */
  async save(training: TrainingPosition): Promise<string | undefined> {
    const processes = this.#processes;
    const generators = processes.isAlone ? undefined : await processes.generators();
    const { isFirst, isSharded } = processes;
    const own = await processes.together(() => (isFirst ? this.#pathOf(training) : undefined));
    // Where each has a part of the state, all save, and rank 0 writes the file.
    const path = isSharded ? await processes.textOfFirst(own) : own;
    await processes.together(() => (path === undefined ? undefined : this.#write(path, training, generators)));
    [this.#step, this.#time] = [training.step, performance.now()];
    return own;
  }

  #pathOf(training: TrainingPosition): string {
    const { path, folder } = this.#options;
    return path ?? (folder as Checkpoints).path({ step: training.step, score: this.#scoreOf(training) });
  }

  async #write(
    path: string,
    training: TrainingPosition,
    generators: readonly GeneratorState[] | undefined,
  ): Promise<void> {
    const { folder, objects = {} } = this.#options;
    // Processes that save together give the objects in one order.
    const own = Object.entries(objects).sort(([one], [other]) => (one < other ? -1 : 1));
    const saved = { ...Object.fromEntries(own), ...this.#objects, training, ...(generators && { generators }) };
    if (client.hasFiles) await this.#call("save", path, saved);
    else save(path, saved as unknown as RunObjects);
    if (this.#processes.isFirst) folder?.prune(path);
  }

  /** The metric of the last epoch in which it was measured. */
  #scoreOf({ epochs }: TrainingPosition): number {
    const { metric, isValidated } = this.#score;
    const figures = epochs.flatMap((epoch) => (isValidated ? (epoch.validation ?? []) : epoch));
    return figures.at(-1)?.[metric] ?? Number.NaN;
  }
}
