// The file of a run: the format of `save(path, objects)`, with the configuration and the progress.

import { closeSync, openSync, readSync } from "node:fs";
import type { EpochFigures, PlainData } from "@stepwell/sdk";
import { fileError, formatError } from "../command-error.js";
import type { Run } from "./build-run.js";
import type { RunConfiguration } from "./configuration.js";
import type { Progress } from "./events.js";

/** Saves a run. The file is replaced at once or not at all. */
export async function saveRun(path: string, run: Run, progress: Progress): Promise<void> {
  const { save } = await import("@stepwell/sdk");
  save(path, {
    module: run.module,
    optimizer: run.optimizer,
    model: run.model,
    run: JSON.stringify(run.configuration),
    progress: progress as unknown as PlainData,
  });
}

/** Sets the objects of a run from its file, and returns the progress. The generator is set, too. */
export async function loadRun(path: string, run: Run): Promise<Progress> {
  const { load } = await import("@stepwell/sdk");
  const { module, optimizer, model } = run;
  const { progress } = load(path, { module, optimizer, model }) as unknown as {
    readonly progress: { readonly history: readonly EpochFigures[]; readonly step: number };
  };
  return { history: [...progress.history], step: progress.step };
}

/** In bytes. The header of safetensors is at most as long. */
const MAX_HEADER = 100_000_000;

/**
 * The configuration in a file, from the description that decision 0025 defines. The objects of the file cannot be made before it is
 * known: the layers of a model may be classes of the user.
 */
export function readConfiguration(path: string): RunConfiguration {
  const header = readHeader(path);
  const text = configurationText(header);
  if (text === undefined) throw formatError(path, "expected a run that `stepwell train` has saved");
  const configuration = JSON.parse(text) as RunConfiguration;
  if (configuration.version !== 1) {
    throw formatError(path, `expected version 1 of a run, given ${configuration.version}: a newer stepwell reads it`);
  }
  return configuration;
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

function readHeader(path: string): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    throw fileError(path, error);
  }
  try {
    const start = Buffer.alloc(8);
    const length = readSync(file, start) === 8 ? Number(start.readBigUInt64LE()) : 0;
    if (length === 0 || length > MAX_HEADER) throw formatError(path, "expected a safetensors file");
    const header = Buffer.alloc(length);
    if (readSync(file, header) !== length) throw formatError(path, "the file ends in its header");
    return header.toString();
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall ? fileError(path, error) : error;
  } finally {
    closeSync(file);
  }
}
