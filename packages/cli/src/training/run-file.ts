// The file of a run: the format of `save(path, objects)`, with the configuration and the progress.

import type { EpochFigures, PlainData } from "@stepwell/sdk";
import { formatError } from "../command-error.js";
import { readHeader } from "../data/safetensors-header.js";
import type { Run } from "./build-run.js";
import type { RunConfiguration } from "./configuration.js";
import type { Progress } from "./events.js";

/** Saves a run. The file is replaced at once or not at all. */
export async function saveRun(path: string, run: Run, progress: Progress): Promise<void> {
  const k = await import("@stepwell/sdk");
  const objects = {
    module: run.module,
    optimizer: run.optimizer,
    model: run.model,
    run: JSON.stringify(run.configuration),
    progress: progress as unknown as PlainData,
    // For programs that use the trained module on data of their own.
    ...(run.classes && { classes: run.classes }),
    ...(run.scaling && { scaling: { means: run.scaling.means, deviations: run.scaling.deviations } }),
  };
  k.save(path, objects);
}

/** Sets the objects of a run from its file, and returns the progress. The generator is set, too. */
export async function loadRun(path: string, run: Run): Promise<Progress> {
  const k = await import("@stepwell/sdk");
  const { module, optimizer, model } = run;
  const { progress } = k.load(path, { module, optimizer, model }) as unknown as {
    readonly progress: { readonly history: readonly EpochFigures[]; readonly step: number };
  };
  return { history: [...progress.history], step: progress.step };
}

/**
 * The configuration in a file, from the description that decision 0025 defines. The objects of the file cannot be made before it is
 * known: the layers of a model may be classes of the user.
 */
export function readConfiguration(path: string): RunConfiguration {
  const text = configurationText(readHeader(path).text);
  if (text === undefined) throw formatError(path, "expected a run that `stepwell train` has saved");
  const configuration = JSON.parse(text) as RunConfiguration | null;
  if (Number.isInteger(configuration?.version) && configuration?.version !== 1) {
    throw formatError(path, `expected version 1 of a run, given ${configuration?.version}: a newer stepwell reads it`);
  }
  if (!isConfiguration(configuration)) throw formatError(path, "the description of its run is damaged");
  return configuration;
}

/** Whether a value has the parts of a configuration, which a program may have written. */
function isConfiguration(value: RunConfiguration | null): value is RunConfiguration {
  if (value?.version !== 1) return false;
  const { data, validation, model, loss, optimizer, training, epochs, patience, seed, device } = value;
  const areFiles = (files: RunConfiguration["data"] | null | undefined) =>
    typeof files?.path === "string" && typeof files.sha256 === "string" && typeof files.header === "boolean";
  const isNamed = (part: RunConfiguration["loss"] | null | undefined) =>
    typeof part?.name === "string" && typeof part.options === "object";
  const isCount = (count: unknown) => Number.isSafeInteger(count) && Number(count) >= 1;
  return (
    areFiles(data) &&
    (validation === null || typeof validation === "number" || areFiles(validation)) &&
    (model?.kind === "json" || (model?.kind === "module" && typeof model.path === "string")) &&
    isNamed(loss) &&
    isNamed(optimizer) &&
    isCount(training?.batchsize) &&
    isCount(training.accumulate) &&
    isCount(epochs) &&
    (patience === null || isCount(patience)) &&
    Number.isSafeInteger(seed) &&
    typeof device === "string"
  );
}

function configurationText(header: string): string | undefined {
  try {
    const { stepwell } = JSON.parse(header).__metadata__;
    const { kind, value } = JSON.parse(stepwell).content.objects.run;
    JSON.parse(value);
    return kind === "data" ? value : undefined;
  } catch {
    return undefined;
  }
}
