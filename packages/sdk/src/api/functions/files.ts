// Modules and whole runs in files.

import { callAsync } from "../../client/asynchronous-calls.js";
import { StepwellError } from "../../errors.js";
import type { RunLoadOptions } from "../../generated/settings.js";
import type { FileContent, LoadedRun, ModuleLoadOptions, RunObjects, RunTargets } from "../../types/checkpoints.js";
import type { AnyModule } from "../../types/objects.js";
import type { LoadReport } from "../../types/results.js";
import { describeValue } from "../../values/describe.js";
import { kindOf } from "../../values/typed-arrays.js";
import { client } from "../client.js";

/**
 * Saves parameters and buffers by name, in the safetensors format. The file is replaced as a whole or not at all, even in a
 * crash. It keeps its mode, and its owner if the system allows that. A link is followed, also to a file that does not exist yet.
 * While it writes, there is a file `.stepwell-….tmp` in the same folder. The next save in that folder removes such files of killed
 * processes.
 */
export function save(module: AnyModule, path: string): void;
/**
 * Saves everything that a run consists of in one file, each object under its name: modules, optimizers, models, losses, tensors and
 * plain data. An optimizer has its state, schedule and loss scale in the file, and a model its position in an epoch. The state of the
 * generator of random numbers is saved too. A run that is loaded goes on to the bit.
 *
 * An optimizer needs the module of its parameters among the objects. The samples of a model are not saved. The file is safetensors
 * with a checksum, and is replaced at once or not at all, as for a module.
 *
 * @example
 * ```ts
 * save("run.safetensors", { net, optimizer, epoch: 3, losses: [0.31, 0.27] });
 * ```
 */
export function save(path: string, objects: RunObjects): void;
export function save(...args: readonly unknown[]): unknown {
  return client.call("save", args);
}

/**
 * Sets every parameter and buffer of a module from a file in the safetensors format, such as
 * `safetensors.torch.save_file(module.state_dict(), path)` writes. A file that fails changes nothing.
 *
 * `rename` gives names in the file other names in the module, as for files of Hugging Face. With `only`, tensors of a part of the
 * module are loaded, for fine-tuning.
 *
 * Names and shapes must be the same. Types must be the same too, unless `cast` converts them, as PyTorch's `load_state_dict`
 * always does. A number that is too large for the type becomes infinite. A file of an older version may lack
 * `num_batches_tracked`, which then stays.
 *
 * @example
 * ```ts
 * load(m, "model.safetensors", { cast: true });
 * const { missing, unexpected, mismatched } = load(m, "pretrained.safetensors", { strict: false });
 * load(m, "model.safetensors", { rename: (name) => name.replace("transformer.h.", "blocks."), only: "blocks" });
 * ```
 */
export function load(module: AnyModule, path: string, options?: ModuleLoadOptions & { readonly strict?: true }): void;
/** Sets all tensors that fit by name, shape and type, and reports the others. A file that cannot be read is still an error. */
export function load(
  module: AnyModule,
  path: string,
  options: ModuleLoadOptions & { readonly strict: false },
): LoadReport;
/** Sets parameters and buffers from a file, and returns a report if `strict` is false. */
export function load(module: AnyModule, path: string, options?: ModuleLoadOptions): LoadReport | undefined;
/**
 * Loads the file of a run. Objects that are given are set, each under its name in the file; all others are made anew. Returns all
 * of them, with the plain data. A file that fails changes nothing.
 *
 * A given module must have tensors of the names, shapes and types of the file. A given optimizer must be of the same kind, and on
 * the same parameters. It takes the groups, the options and the state of the file. A given model keeps its samples, and goes on with the
 * batch after the last one. A model that is made anew does so once it has as many samples.
 *
 * The generator of random numbers is set too, unless `generator` is false. Typed arrays come back as `{ data, shape }`.
 *
 * @example
 * ```ts
 * const { epoch } = load("run.safetensors", { net, optimizer });
 * const run = load<{ net: ModuleHandle; optimizer: OptimizerHandle; epoch: number }>("run.safetensors");
 * ```
 */
export function load<Run extends object = LoadedRun>(path: string): Run;
/** As before, with objects that are set, each under its name in the file. */
export function load<Targets extends RunTargets>(
  path: string,
  objects: Targets,
  options?: RunLoadOptions,
): Targets & LoadedRun;
export function load(...args: readonly unknown[]): unknown {
  return loaded(client.call("load", withNames(args)), args);
}

/** The arguments of `load`, with a dictionary in the place of a function that gives names. */
function withNames(args: readonly unknown[]): readonly unknown[] {
  const [first, second, options] = args;
  if (typeof first === "string" || options === undefined) return args;
  return [first, second, renamed(second, options), ...args.slice(3)];
}

/** The result of `load`: of a run, all its objects with the given ones. */
const loaded = (result: unknown, [first, second]: readonly unknown[]): unknown =>
  typeof first === "string" ? { ...(result as LoadedRun), ...(second as RunTargets | undefined) } : result;

/** The options with a dictionary in the place of a function that gives names. */
function renamed(path: unknown, options: unknown): unknown {
  if (typeof options !== "object" || options === null || !("rename" in options)) return options;
  const { rename } = options;
  if (typeof rename !== "function") return options;
  const { tensors } = client.call("inspect", [path], "load") as FileContent;
  const entries = tensors.map(({ name }) => {
    const given: unknown = rename(name);
    if (given === undefined || given === null || typeof given === "string") return [name, given ?? null];
    const message = `load: rename: expected a function that returns names, given ${describeValue(given)} for \`${name}\``;
    throw new StepwellError("ERR_OPTION_TYPE", message);
  });
  return { ...options, rename: Object.fromEntries(entries) };
}

/**
 * Saves as {@link save} does, on a thread of the engine. Until it is over, the objects and all that shares their parameters are `ERR_BUSY`
 * for other calls. Not in WebAssembly, which has no files: `ERR_UNSUPPORTED`.
 */
export function saveAsync(module: AnyModule, path: string): Promise<void>;
/** Saves a run. */
export function saveAsync(path: string, objects: RunObjects): Promise<void>;
export function saveAsync(...args: readonly unknown[]): Promise<unknown> {
  return callAsync(client, "save", args, { name: "saveAsync" });
}

/** Loads as {@link load} does, on a thread of the engine. Until it is over, the given objects are `ERR_BUSY`. Not in WebAssembly: `ERR_UNSUPPORTED`. */
export function loadAsync(
  module: AnyModule,
  path: string,
  options?: ModuleLoadOptions,
): Promise<LoadReport | undefined>;
/** Loads a run, whose objects are made anew. */
export function loadAsync<Run extends object = LoadedRun>(path: string): Promise<Run>;
/** As before, with objects that are set, each under its name in the file. */
export function loadAsync<Targets extends RunTargets>(
  path: string,
  objects: Targets,
  options?: RunLoadOptions,
): Promise<Targets & LoadedRun>;
export async function loadAsync(...args: readonly unknown[]): Promise<unknown> {
  return loaded(await callAsync(client, "load", withNames(args), { name: "loadAsync" }), args);
}

/**
 * The content of a safetensors file: its tensors, and of a run the objects. Elements are neither read nor compared with the checksum.
 *
 * @example
 * ```ts
 * for (const { name, shape } of inspect("run.safetensors").tensors) console.log(name, shape);
 * ```
 */
export function inspect(path: string): FileContent;
export function inspect(...args: readonly unknown[]): unknown {
  return client.call("inspect", args);
}

/**
 * The bytes of the file that `save(path, objects)` writes, for a database or the body of a request. The native engine has them.
 * WebAssembly does not: `ERR_UNSUPPORTED`.
 *
 * @example
 * ```ts
 * await store.put("run", serialize({ net, optimizer, epoch: 3 }));
 * ```
 */
export function serialize(objects: RunObjects): Uint8Array;
export function serialize(...args: readonly unknown[]): unknown {
  return client.call("serialize", args);
}

/**
 * Loads the objects of a run from the bytes of its file, as `load(path, …)` does from the file. Objects that are given are set, each
 * under its name; all others are made anew. Bytes that fail change nothing.
 *
 * @example
 * ```ts
 * const { epoch } = deserialize(new Uint8Array(await response.arrayBuffer()), { net, optimizer });
 * ```
 */
export function deserialize<Run extends object = LoadedRun>(bytes: Uint8Array): Run;
/** As before, with objects that are set, each under its name. */
export function deserialize<Targets extends RunTargets>(
  bytes: Uint8Array,
  objects: Targets,
  options?: RunLoadOptions,
): Targets & LoadedRun;
export function deserialize(...args: readonly unknown[]): unknown {
  const [bytes, objects] = args;
  if (kindOf(bytes) !== "Uint8Array") {
    const message = `deserialize: expected a Uint8Array as argument 1, given ${describeValue(bytes)}`;
    throw new StepwellError("ERR_ARGUMENT", message);
  }
  // An engine without files says so, and cannot take bytes.
  const run = client.call("deserialize", client.hasFiles ? args : []);
  return { ...(run as LoadedRun), ...(objects as RunTargets | undefined) };
}
