// `stepwell convert`: a run into files for PyTorch, and files of PyTorch into one of Stepwell.

import type { AnyModule, AnyOptimizer, ModuleHandle, OptimizerHandle } from "@stepwell/sdk";
import * as k from "@stepwell/sdk";
import { formatError, usageError } from "../command-error.js";
import { kindOfTensors } from "../data/safetensors-header.js";
import { readTensorFile, writeTensorFile } from "../data/tensor-file.js";
import { makeModule, modelFile, readModelSource } from "../model/model-file.js";
import { type Environment, printResult } from "../output/environment.js";
import { whole } from "../output/numbers.js";
import { fromPyTorch, toPyTorch } from "../training/pytorch-optimizer.js";
import { checkDistinct, checkWritable } from "./output-files.js";

/** Options of the command, as commander has parsed them. */
export interface ConvertArguments {
  readonly model?: string;
  readonly optimizer?: string;
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
  const kind = kindOfTensors(from);
  if (kind === undefined) throw formatError(from, "expected a safetensors file");
  const source = given.model === undefined ? undefined : readModelSource(given.model);
  const state = given.optimizer === undefined ? [] : [{ argument: "--optimizer", path: given.optimizer }];
  const written = [{ argument: "<to>", path: to }, ...(kind === "run" ? state : [])];
  const read = [{ argument: "<from>", path: from }, ...(kind === "run" ? [] : state)];
  const model = modelFile(given.model ?? "[]");
  checkDistinct([...read, ...(model === undefined ? [] : [{ argument: "--model", path: model }])], written);
  for (const { path } of written) checkWritable(path, "tensors", given.overwrite === true);
  if (kind === "run" && given.cast) throw usageError("--cast is for files of tensors, given a run");
  if (kind === "tensors" && given.model === undefined) {
    throw usageError(`${from} has no description of a model: expected --model`);
  }
  const made = source && (await makeModule(source, null));
  if (kind === "run") writeForPyTorch(from, to, given.optimizer, made, environment);
  else takeFromPyTorch(from, to, given, made as AnyModule, environment);
}

/** Writes the module of a run, and the state of its optimizer into a file of its own. */
function writeForPyTorch(
  from: string,
  to: string,
  state: string | undefined,
  made: AnyModule | undefined,
  environment: Environment,
): void {
  const loaded = (made ? k.load(from, { module: made }) : k.load(from)) as Loaded;
  const module = objectOf(from, loaded, "module") as ModuleHandle;
  // Everything that can fail comes before the first file.
  const optimizer =
    state === undefined ? undefined : toPyTorch(k.state(objectOf(from, loaded, "optimizer") as OptimizerHandle, true));
  k.save(module, to);
  if (!optimizer || state === undefined) {
    report(from, to, module, environment);
    return;
  }
  writeTensorFile(state, optimizer.file);
  const { leftOut } = optimizer;
  const count = `${optimizer.file.tensors.size} tensors`;
  const lost =
    leftOut.length > 0 ? ` PyTorch's optimizer does not have ${leftOut.join(", ")}, which the file lacks.` : "";
  const more = `\nWrote ${state}: ${count}. Read it in Python by \`load_state\` of bridges/pytorch/optimizer_state.py.${lost}`;
  report(from, to, module, environment, more, { optimizer: state, leftOut });
}

/** Writes tensors as a module of Stepwell; with the state of an optimizer, as a run. */
function takeFromPyTorch(
  from: string,
  to: string,
  { optimizer: state, cast }: ConvertArguments,
  module: AnyModule,
  environment: Environment,
): void {
  k.load(module, from, { cast: cast === true });
  if (state === undefined) {
    k.save(module, to);
    report(from, to, module, environment);
    return;
  }
  const parameters = k.parmnames(module).map((name) => ({ name, size: k.size(k.parm(module, name)) }));
  const optimizer = k.opt(fromPyTorch(state, readTensorFile(state), parameters), module) as AnyOptimizer;
  k.save(to, { module, optimizer });
  const text = `Wrote ${to}: a run with the objects module and optimizer. Read it by load("${to}").`;
  printResult(environment, text, { from, to, optimizer: state, tensors: k.inspect(to).tensors });
}

function report(
  from: string,
  to: string,
  module: AnyModule,
  environment: Environment,
  more = "",
  values: object = {},
): void {
  const { tensors } = k.inspect(to);
  const elements = k.elements(module);
  const text = `Wrote ${to}: ${tensors.length} tensors, ${whole(elements)} elements of parameters. Read it in Python: safetensors.torch.load_file("${to}")`;
  printResult(environment, text + more, { from, to, tensors, ...values });
}

interface Loaded {
  readonly module?: unknown;
  readonly optimizer?: unknown;
}

function objectOf(path: string, loaded: Loaded, name: keyof Loaded): unknown {
  if (loaded[name] !== undefined) return loaded[name];
  throw formatError(path, `expected a run with an object \`${name}\`, as \`stepwell train\` saves it`);
}
