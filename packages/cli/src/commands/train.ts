// `stepwell train`: trains a model on the samples of files.

import { dirname, relative, resolve } from "node:path";
import type { LossHandle } from "@stepwell/sdk";
import { usageError } from "../command-error.js";
import type { NamedFile } from "../data/named-file.js";
import { type DataFiles, type DataFormat, readSamples } from "../data/read-samples.js";
import type { Selection } from "../data/samples.js";
import { modelFile, readModelSource } from "../model/model-file.js";
import type { Environment } from "../output/environment.js";
import { buildRun, selectionOf } from "../training/build-run.js";
import type { HashedFiles, RunConfiguration } from "../training/configuration.js";
import { checkWritable } from "./output-files.js";
import { checkShown, runTraining, type ShowArguments } from "./run-training.js";

/** Options of the command, as commander has parsed them. */
export interface TrainArguments extends ShowArguments {
  readonly model: string;
  readonly targets?: string;
  readonly format?: DataFormat;
  readonly header: boolean;
  readonly features?: readonly string[];
  readonly target?: readonly string[];
  readonly validation?: number | string;
  readonly validationTargets?: string;
  readonly scale?: true;
  readonly loss?: { readonly name: string; readonly options: object };
  readonly optimizer: string;
  readonly lr?: number;
  readonly option: Readonly<Record<string, unknown>>;
  readonly schedule?: object;
  readonly epochs: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly accumulate: number;
  readonly clipNorm?: number;
  readonly patience?: number;
  readonly seed: number;
  readonly device: string;
  readonly out?: string;
  readonly save: boolean;
}

/** Runs the command. Everything is checked before anything is written. */
export async function train(data: string, given: TrainArguments, environment: Environment): Promise<void> {
  if (!given.save && given.out !== undefined) throw usageError("--out and --no-save are both given");
  const out = given.save ? (given.out ?? "run.safetensors") : null;
  checkShown(filesOf(data, given), out === null ? undefined : { argument: "--out", path: out }, given);
  if (out !== null) checkWritable(out, "run", given.overwrite === true);
  if (given.lr !== undefined && "lr" in given.option) throw usageError("--lr and --option lr=… are both given");
  // An unknown name is found before a column of texts, which only losses of classes take.
  if (given.loss) await checkLoss(given.loss.name, given.loss.options);
  const folder = out === null ? process.cwd() : dirname(resolve(out));
  const configuration = configurationOf(data, given, folder);
  const run = await buildRun(configuration, folder);
  await runTraining(run, { history: [], step: 0 }, { out, show: given }, environment);
}

/** The files that the command reads. */
function filesOf(
  data: string,
  { targets, validation, validationTargets, model }: TrainArguments,
): readonly NamedFile[] {
  const named = {
    "<data>": data,
    "--targets": targets,
    "--validation": validation,
    "--validation-targets": validationTargets,
    "--model": modelFile(model),
  };
  return Object.entries(named).flatMap(([argument, path]) => (typeof path === "string" ? [{ argument, path }] : []));
}

async function checkLoss(...loss: readonly [name: string, options: object]): Promise<void> {
  const k = await import("@stepwell/sdk");
  k.free((k.loss as (...parts: readonly unknown[]) => LossHandle)(...loss));
}

function configurationOf(data: string, given: TrainArguments, folder: string): RunConfiguration {
  const [features, target] = [given.features ?? null, given.target ?? null];
  const files = { path: data, targets: given.targets ?? null, format: given.format ?? null, header: given.header };
  const selection = selectionOf({ features, target, loss: given.loss ?? null });
  const { samples, sha256 } = readSamples(files, selection);
  const source = readModelSource(given.model);
  return {
    version: 1,
    data: hashed(files, sha256, folder),
    features,
    target,
    validation: validationOf(given, files, { ...selection, training: samples }, folder),
    scale: given.scale === true,
    model: source.kind === "module" ? { kind: "module", path: portable(source.path, folder) } : source,
    loss: given.loss ?? { name: samples.targets instanceof BigInt64Array ? "ce" : "mse", options: {} },
    optimizer: { name: given.optimizer, options: { ...(given.lr !== undefined && { lr: given.lr }), ...given.option } },
    schedule: given.schedule ?? null,
    training: {
      batchsize: given.batchSize,
      shuffle: given.shuffle,
      accumulate: given.accumulate,
      clipnorm: given.clipNorm ?? null,
    },
    epochs: given.epochs,
    patience: given.patience ?? null,
    seed: given.seed,
    device: given.device,
  };
}

function validationOf(
  given: TrainArguments,
  files: DataFiles,
  selection: Selection,
  folder: string,
): RunConfiguration["validation"] {
  if (given.validationTargets !== undefined && typeof given.validation !== "string") {
    throw usageError("--validation-targets: expected --validation FILE in addition");
  }
  if (given.validation === undefined) return null;
  if (typeof given.validation === "number") return given.validation;
  const others = { ...files, path: given.validation, targets: given.validationTargets ?? null };
  return hashed(others, readSamples(others, selection).sha256, folder);
}

const hashed = (files: DataFiles, sha256: string, folder: string): HashedFiles => ({
  ...files,
  path: portable(files.path, folder),
  targets: files.targets === null ? null : portable(files.targets, folder),
  sha256,
});

/** A path from the folder of the run's file, so that both can be moved together. */
const portable = (path: string, folder: string) => relative(folder, resolve(path)).replaceAll("\\", "/");
