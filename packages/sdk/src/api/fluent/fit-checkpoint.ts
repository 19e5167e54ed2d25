// Saves a training to a file, and loads it again.

import { handleOf } from "../../client/encode.js";
import { hasCode, StepwellError } from "../../errors.js";
import type { ModuleHandle, OptimizerHandle } from "../../handle.js";
import { namedOptions } from "../../values/named-options.js";
import { isDictionary, isRevoked } from "../../values/plain-data.js";
import { refuse } from "../../values/refuse.js";
import { client } from "../client.js";
import type { Call } from "./batch-calls.js";
import type { CheckpointOptions, TrainingPosition } from "./fit-types.js";

/** Names of a file that the training itself gives. */
const OWN = ["module", "optimizer", "training"];

/** Options of checkpoints that are valid. The engine must have files. */
export function readCheckpoint(given: unknown): CheckpointOptions {
  const where = "fit: checkpoint";
  const names = ["path", "steps", "seconds", "resume", "objects"] as const;
  const options = namedOptions<CheckpointOptions>(where, given, names);
  const { path, steps, seconds, resume, objects } = options;
  if (!client.hasFiles) {
    const message = `${where}: this engine has no files; the property \`position\` of a training is plain data`;
    throw new StepwellError("ERR_UNSUPPORTED", message);
  }
  if (typeof path !== "string" || path === "") refuse(`${where}: path`, "the path of a file", path);
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

/** The file of a training. */
export class Checkpoint {
  readonly #options: CheckpointOptions;
  readonly #objects: { readonly module: ModuleHandle; readonly optimizer: OptimizerHandle };
  readonly #call: Call;
  #step = 0;
  #time = performance.now();

  constructor(options: CheckpointOptions, module: ModuleHandle, optimizer: OptimizerHandle, call: Call) {
    this.#options = options;
    this.#objects = { module, optimizer };
    this.#call = call;
  }

  get path(): string {
    return this.#options.path;
  }

  /** The position in the file, from which objects were set; undefined if there is no file, or if the training is not to go on. */
  async load(): Promise<TrainingPosition | undefined> {
    if (!this.#options.resume) return undefined;
    const given = Object.entries(this.#options.objects ?? {}).filter(([, value]) => handleOf(value) !== undefined);
    try {
      const targets = { ...Object.fromEntries(given), ...this.#objects };
      const { training } = (await this.#call("load", this.path, targets)) as { training?: TrainingPosition };
      if (training === undefined) {
        const message = `fit: checkpoint: expected the file of a training, given ${this.path} without a position`;
        throw new StepwellError("ERR_FORMAT", message);
      }
      this.#step = training.step;
      return training;
    } catch (error) {
      // The codes of systems for a file or a folder that does not exist.
      const isMissing = hasCode(error, "ERR_FILE") && /\(os error [23]\)$/.test((error as Error).message);
      if (!isMissing) throw error;
      return undefined;
    }
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

  /** Saves the training. */
  async save(training: TrainingPosition): Promise<void> {
    await this.#call("save", this.path, { ...this.#options.objects, ...this.#objects, training });
    [this.#step, this.#time] = [training.step, performance.now()];
  }
}
