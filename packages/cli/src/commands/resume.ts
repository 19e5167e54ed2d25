// `stepwell resume`: goes on with a run from its file, to the bit.

import { dirname, resolve } from "node:path";
import { usageError } from "../command-error.js";
import type { Environment } from "../output/environment.js";
import { buildRun, filesOf } from "../training/build-run.js";
import { loadRun, readConfiguration } from "../training/run-file.js";
import { checkWritable } from "./output-files.js";
import { checkShown, runTraining, type ShowArguments } from "./run-training.js";

/** Options of the command, as commander has parsed them. */
export interface ResumeArguments extends ShowArguments {
  readonly epochs?: number;
}

/** Runs the command. */
export async function resume(path: string, given: ResumeArguments, environment: Environment): Promise<void> {
  const saved = readConfiguration(path);
  const folder = dirname(resolve(path));
  checkWritable(path, "run", true);
  checkShown(filesOf(saved, folder), { argument: "<file>", path }, given);
  const configuration = { ...saved, epochs: given.epochs ?? saved.epochs };
  const run = await buildRun(configuration, folder);
  const progress = await loadRun(path, run);
  const done = progress.history.length;
  if (done >= configuration.epochs) {
    throw usageError(`${path} has ${done} epochs of ${configuration.epochs}: --epochs gives a larger number to go on`);
  }
  await runTraining(run, progress, { out: path, show: given }, environment);
}
