// `stepwell convert`: parameters and buffers from a run into a file for PyTorch, and from a file of PyTorch into one of Stepwell.

import { resolve } from "node:path";
import type { AnyModule, ModuleHandle } from "@stepwell/sdk";
import { CommandError, formatError, usageError } from "../command-error.js";
import { readHeader } from "../data/safetensors-header.js";
import { makeModule, readModelSource } from "../model/model-file.js";
import { type Environment, printResult } from "../output/environment.js";
import { whole } from "../output/numbers.js";
import { checkWritable } from "./run-training.js";

/** Options of the command, as commander has parsed them. */
export interface ConvertArguments {
  readonly model?: string;
  readonly cast?: true;
  readonly overwrite?: true;
}

/** Runs the command. */
export async function convert(
  from: string,
  to: string,
  given: ConvertArguments,
  environment: Environment,
): Promise<void> {
  const kind = kindOf(from);
  if (resolve(from) === resolve(to)) throw usageError(`${to}: expected another file than the one that is read`);
  checkWritable(to, { replace: given.overwrite === true });
  const k = await import("@stepwell/sdk");
  if (k.engine !== "native") {
    throw new CommandError(
      "ERR_UNSUPPORTED",
      "the WebAssembly engine has no files yet: convert needs the native engine",
    );
  }
  if (kind === "run" && given.cast) throw usageError("--cast is for files of tensors, given a run");
  if (kind === "tensors" && given.model === undefined) {
    throw usageError(`${from} has no description of a model: expected --model`);
  }
  const made = given.model === undefined ? undefined : await makeModule(readModelSource(given.model), null);
  const module = kind === "run" ? moduleOfRun(from, k.load(from, made ? { module: made } : {})) : (made as AnyModule);
  if (kind === "tensors") k.load(module, from, { cast: given.cast === true });
  k.save(module, to);
  const { tensors } = k.inspect(to);
  const elements = k.elements(module);
  const text = `Wrote ${to}: ${tensors.length} tensors, ${whole(elements)} elements of parameters. Read it in Python: safetensors.torch.load_file("${to}")`;
  printResult(environment, text, { from, to, tensors });
}

/** Whether a file has a run, or tensors alone. */
function kindOf(path: string): "run" | "tensors" {
  const { text } = readHeader(path);
  try {
    const stepwell = JSON.parse(text).__metadata__?.stepwell;
    const objects = stepwell === undefined ? undefined : JSON.parse(stepwell).content?.objects;
    return objects && Object.keys(objects).length > 0 ? "run" : "tensors";
  } catch {
    throw formatError(path, "expected a safetensors file");
  }
}

function moduleOfRun(path: string, { module }: { readonly module?: unknown }): AnyModule {
  if (module !== undefined) return module as ModuleHandle;
  throw formatError(path, "expected a run with an object `module`, as `stepwell train` saves it");
}
