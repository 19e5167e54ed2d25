// Modules and whole runs in files.

import type { BindingArgument } from "../../binding.js";
import { callAsync } from "../../client/asynchronous-calls.js";
import { hasCode, StepwellError } from "../../errors.js";
import * as own from "../../files/file-functions.js";
import { withTypedArrays } from "../../files/plain-data.js";
import type {
  FileContent,
  LoadedRun,
  ModuleLoadOptions,
  NoTargets,
  RunObjects,
  RunPartOptions,
  RunTargets,
  StorableObjects,
} from "../../types/checkpoints.js";
import type { AnyModule } from "../../types/objects.js";
import type { LoadReport } from "../../types/results.js";
import { describeValue } from "../../values/describe.js";
import { isDictionary, isFunction, isList, isRevoked } from "../../values/plain-data.js";
import { kindOf, memoryOf } from "../../values/typed-arrays.js";
import { client } from "../client.js";

/**
 * Saves parameters and buffers by name, in the safetensors format. The file is replaced as a whole or not at all, even in a
 * crash. It keeps its mode, and its owner if the system allows that. A link is followed, also to a file that does not exist yet.
 * A page has no files: `ERR_UNSUPPORTED`. While it writes, there is a file `.stepwell-….tmp` in the same folder. The next save in that folder removes such files of killed
 * processes. On WebAssembly, one of a terminated worker stays for an hour.
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
/** Saves a run with plain data of interfaces. */
export function save<Objects extends object>(path: string, objects: Objects & StorableObjects<Objects>): void;
export function save(...args: readonly unknown[]): unknown {
  return client.hasFiles ? client.call("save", args) : own.save(client, client.encode("save", args));
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
 * The generator of random numbers is set too, unless `generator` is false. Typed arrays come back, integers of all types
 * as `BigInt64Array`.
 *
 * `only` loads a part: whole objects, or modules and tensors of given ones. `rename` gives tensors the names that they have in given
 * objects. With it, objects that are not given are left out.
 *
 * @example
 * ```ts
 * const { epoch } = load("run.safetensors", { net, optimizer });
 * const run = load<{ net: ModuleHandle; optimizer: OptimizerHandle; epoch: number }>("run.safetensors");
 * const { net } = load<{ net: ModuleHandle }>("run.safetensors", {}, { only: "net" });
 * ```
 */
export function load<Run extends object = LoadedRun>(
  path: string,
  objects?: NoTargets,
  options?: RunPartOptions & { readonly strict?: true },
): Run;
/** As before, with objects that are set, each under its name in the file. */
export function load<Targets extends RunTargets>(
  path: string,
  objects: Targets,
  options?: RunPartOptions & { readonly strict?: true },
): Targets & LoadedRun;
/**
 * Sets all tensors of given objects that fit by name, shape and type, and reports the others. Nothing is made anew. An optimizer keeps its
 * groups, options, schedule and scale, and takes the state of each parameter that is loaded. A model keeps its position in its data.
 *
 * @example
 * ```ts
 * const { missing, unexpected, mismatched } = load("run.safetensors", { net, optimizer }, { strict: false });
 * ```
 */
export function load(
  path: string,
  objects: RunTargets,
  options: RunPartOptions & { readonly strict: false },
): LoadReport;
/** Loads a run, and returns a report if `strict` is false. */
export function load<Targets extends RunTargets>(
  path: string,
  objects: Targets,
  options?: RunPartOptions,
): (Targets & LoadedRun) | LoadReport;
export function load(...values: readonly unknown[]): unknown {
  const args = values.map(readOnce);
  const given = withNames(args);
  const load = () =>
    client.hasFiles ? client.call("load", given) : own.load(client, client.encode("load", given), args);
  try {
    return loaded(load(), args);
  } catch (error) {
    throw explained(error);
  }
}

/** An error of a load. The file of a bridge of PyTorch has names of parameters and no layers, of which no module is made. */
function explained(error: unknown): unknown {
  if (!hasCode(error, "ERR_ARGUMENT") || !/expected a name without dots/.test((error as Error).message)) return error;
  const reason = "its file has no layers, so it sets a given module and makes none";
  return new StepwellError("ERR_ARGUMENT", `${(error as Error).message}: ${reason}`);
}

/**
 * A dictionary of the caller with the values that its entries have now, without those that are undefined. The engine then gets the objects
 * that the result has, also from an accessor that changes.
 */
function readOnce(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !isDictionary(value)) return value;
  // Copies symbols too, which the engine refuses.
  const entries: Record<PropertyKey, unknown> = { ...value };
  for (const key of Object.keys(entries)) if (entries[key] === undefined) delete entries[key];
  return entries;
}

/** The arguments of `load`, with names in the place of a function that gives them. */
function withNames(args: readonly unknown[]): readonly unknown[] {
  const [first, second, options] = args;
  if (options === undefined) return args;
  const ofRun = typeof first === "string";
  const path = [ofRun ? first : second];
  const content = () =>
    client.hasFiles
      ? (client.call("inspect", path, "load") as FileContent)
      : own.inspect(client, client.encode("load", path), "load");
  const names = () => content().tensors;
  return [first, second, renamed("load", options, ofRun, () => names().map(({ name }) => name)), ...args.slice(3)];
}

/** The result of `load` of a run: all its objects with the given ones, or a report. */
const withTargets = (result: unknown, [, targets, options]: readonly unknown[]): unknown =>
  (options as RunPartOptions | undefined)?.strict === false
    ? result
    : { ...(withTypedArrays(result) as LoadedRun), ...(targets as RunTargets | undefined) };

/** The result of `load`: of a run, all its objects with the given ones. */
const loaded = (result: unknown, args: readonly unknown[]): unknown =>
  typeof args[0] === "string" ? withTargets(result, args) : result;

/** The options with names in the place of a function that gives them: a dictionary, or pairs for all tensors of a run. */
function renamed(caller: string, options: unknown, ofRun: boolean, names: () => readonly string[]): unknown {
  if (typeof options !== "object" || options === null || isRevoked(options) || !("rename" in options)) return options;
  const { rename } = options;
  const refuse = (what: string) => new StepwellError("ERR_OPTION_TYPE", `${caller}: rename: expected ${what}`);
  if (isList(rename)) throw refuse(`a dictionary or a function of names, given ${describeValue(rename)}`);
  if (!isFunction(rename)) return options;
  const pairs = names().map((name): readonly [string, string | null] => {
    const given: unknown = rename(name);
    if (given === undefined || given === null || typeof given === "string") return [name, given ?? null];
    throw refuse(`a function that returns names, given ${describeValue(given)} for \`${name}\``);
  });
  return { ...options, rename: ofRun ? pairs : Object.fromEntries(pairs) };
}

/** The names of the tensors in the bytes of a file. The engine says what is wrong with other bytes. */
function namesIn(bytes: Uint8Array): readonly string[] {
  try {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header: object = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    return Object.keys(header).filter((name) => name !== "__metadata__");
  } catch {
    return [];
  }
}

/**
 * Saves as {@link save} does, on a thread of the engine. Until it is over, the objects and all that shares their parameters are `ERR_BUSY`
 * for other calls. Typed arrays among plain data are copied before the call returns. Not in a page, which has no files: `ERR_UNSUPPORTED`. On
 * WebAssembly it runs in a turn of the event loop.
 */
export function saveAsync(module: AnyModule, path: string): Promise<void>;
/** Saves a run. */
export function saveAsync(path: string, objects: RunObjects): Promise<void>;
/** Saves a run with plain data of interfaces. */
export function saveAsync<Objects extends object>(
  path: string,
  objects: Objects & StorableObjects<Objects>,
): Promise<void>;
export function saveAsync(...args: readonly unknown[]): Promise<unknown> {
  return callAsync(client, "save", args, { name: "saveAsync", run: (encoded) => own.save(client, encoded) });
}

/** Loads as {@link load} does, on a thread of the engine. Until it is over, the given objects are `ERR_BUSY`. Not in a page: `ERR_UNSUPPORTED`. */
export function loadAsync(
  module: AnyModule,
  path: string,
  options?: ModuleLoadOptions & { readonly strict?: true },
): Promise<void>;
/** Sets all tensors that fit, and reports the others. */
export function loadAsync(
  module: AnyModule,
  path: string,
  options: ModuleLoadOptions & { readonly strict: false },
): Promise<LoadReport>;
/** Sets parameters and buffers from a file, and returns a report if `strict` is false. */
export function loadAsync(
  module: AnyModule,
  path: string,
  options?: ModuleLoadOptions,
): Promise<LoadReport | undefined>;
/** Loads a run, whose objects are made anew. */
export function loadAsync<Run extends object = LoadedRun>(
  path: string,
  objects?: NoTargets,
  options?: RunPartOptions & { readonly strict?: true },
): Promise<Run>;
/** As before, with objects that are set, each under its name in the file. */
export function loadAsync<Targets extends RunTargets>(
  path: string,
  objects: Targets,
  options?: RunPartOptions & { readonly strict?: true },
): Promise<Targets & LoadedRun>;
/** Loads what fits of a run, and reports the rest. */
export function loadAsync(
  path: string,
  objects: RunTargets,
  options: RunPartOptions & { readonly strict: false },
): Promise<LoadReport>;
/** Loads a run, and returns a report if `strict` is false. */
export function loadAsync<Targets extends RunTargets>(
  path: string,
  objects: Targets,
  options?: RunPartOptions,
): Promise<(Targets & LoadedRun) | LoadReport>;
export async function loadAsync(...values: readonly unknown[]): Promise<unknown> {
  const args = values.map(readOnce);
  const run = (encoded: readonly BindingArgument[]) => own.load(client, encoded, args);
  try {
    return loaded(await callAsync(client, "load", withNames(args), { name: "loadAsync", run }), args);
  } catch (error) {
    throw explained(error);
  }
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
  return client.hasFiles ? client.call("inspect", args) : own.inspect(client, client.encode("inspect", args));
}

/**
 * The bytes of the file that `save(path, objects)` writes, for a database, the body of a request, or the storage of a page. Both
 * engines write the same bytes for the same objects.
 *
 * @example
 * ```ts
 * await store.put("run", serialize({ net, optimizer, epoch: 3 }));
 * ```
 */
export function serialize(objects: RunObjects): Uint8Array;
/** The bytes of a run with plain data of interfaces. */
export function serialize<Objects extends object>(objects: Objects & StorableObjects<Objects>): Uint8Array;
export function serialize(...args: readonly unknown[]): unknown {
  return client.hasFiles ? client.call("serialize", args) : own.serialize(client, client.encode("serialize", args));
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
export function deserialize<Run extends object = LoadedRun>(
  bytes: Uint8Array,
  objects?: NoTargets,
  options?: RunPartOptions & { readonly strict?: true },
): Run;
/** As before, with objects that are set, each under its name. */
export function deserialize<Targets extends RunTargets>(
  bytes: Uint8Array,
  objects: Targets,
  options?: RunPartOptions & { readonly strict?: true },
): Targets & LoadedRun;
/** Sets what fits, and reports the rest. */
export function deserialize(
  bytes: Uint8Array,
  objects: RunTargets,
  options: RunPartOptions & { readonly strict: false },
): LoadReport;
/** Loads a run, and returns a report if `strict` is false. */
export function deserialize<Targets extends RunTargets>(
  bytes: Uint8Array,
  objects: Targets,
  options?: RunPartOptions,
): (Targets & LoadedRun) | LoadReport;
export function deserialize(...values: readonly unknown[]): unknown {
  const args = values.map(readOnce);
  const [bytes, objects, options] = args;
  if (kindOf(bytes) !== "Uint8Array") {
    const message = `deserialize: expected a Uint8Array as argument 1, given ${describeValue(bytes)}`;
    throw new StepwellError("ERR_ARGUMENT", message);
  }
  const names = () => namesIn(memoryOf(bytes as Uint8Array));
  const given =
    options === undefined ? args : [bytes, objects, renamed("deserialize", options, true, names), ...args.slice(3)];
  try {
    return withTargets(client.hasFiles ? client.call("deserialize", given) : own.deserialize(client, given), args);
  } catch (error) {
    throw explained(error);
  }
}
