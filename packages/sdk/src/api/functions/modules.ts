// Functions of modules: making, running, looking up, files.

import type { LoadOptions } from "../../generated/settings.js";
import type { DictionaryHandle, ModuleHandle, TensorHandle } from "../../handle.js";
import type { ModuleSpecification } from "../../types/arguments.js";
import type { AnyModel, AnyModule, AnyOptimizer, AnyTensor } from "../../types/objects.js";
import type { LoadReport, ModuleState } from "../../types/results.js";
import type { TensorData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * Makes a module with fresh parameters. They are drawn from the generator of the session (see {@link seed}) as the layers of
 * PyTorch draw theirs.
 */
export function module(specification: ModuleSpecification): ModuleHandle;
/** Makes a module from the result of {@link state}, parameters included. */
export function module(state: ModuleState): ModuleHandle;
/**
 * The container of all objects that the parameters of an optimizer came from. One module is its own container. Several modules
 * stand under their names, or under their positions if they have none; tensors stand under `parms`. A container has modules at most
 * 128 deep, and at most 2^18 of them.
 */
export function module(optimizer: AnyOptimizer): ModuleHandle;
/** The module of a model, shared with it. */
export function module(model: AnyModel): ModuleHandle;
export function module(...args: readonly unknown[]): unknown {
  return client.call("module", args);
}

/** Runs a module as in training: with dropout and batch statistics, recording the graph for `backward`. */
export function forward(module: AnyModule | AnyModel, input: AnyTensor | TensorData): TensorHandle;
export function forward(...args: readonly unknown[]): unknown {
  return client.call("forward", args);
}

/** Runs a module as in use: without dropout, with running statistics, recording no graph. */
export function evaluate(module: AnyModule | AnyModel, input: AnyTensor | TensorData): TensorHandle;
export function evaluate(...args: readonly unknown[]): unknown {
  return client.call("evaluate", args);
}

/** Dotted names of all descendants, depth first. */
export function names(module: AnyModule): readonly string[];
export function names(...args: readonly unknown[]): unknown {
  return client.call("names", args);
}

/** Names of the direct children. */
export function childnames(module: AnyModule): readonly string[];
export function childnames(...args: readonly unknown[]): unknown {
  return client.call("childnames", args);
}

/** Dotted names of all parameters, in the order in which an optimizer takes them. */
export function parmnames(module: AnyModule): readonly string[];
export function parmnames(...args: readonly unknown[]): unknown {
  return client.call("parmnames", args);
}

/** The descendant of a dotted name, shared with the module. */
export function child(module: AnyModule, name: string): ModuleHandle;
export function child(...args: readonly unknown[]): unknown {
  return client.call("child", args);
}

/** The parameters by dotted name, shared with the module. */
export function parms(module: AnyModule): DictionaryHandle;
export function parms(...args: readonly unknown[]): unknown {
  return client.call("parms", args);
}

/** The parameter or buffer of a dotted name, shared with the module: a change of one changes the other. */
export function parm(module: AnyModule, name: string): TensorHandle;
export function parm(...args: readonly unknown[]): unknown {
  return client.call("parm", args);
}

/**
 * Saves parameters and buffers by name, in the safetensors format. The file is replaced as a whole or not at all, even in a
 * crash. It keeps its mode, and its owner if the system allows that. A link is followed, also to a file that does not exist yet.
 * While it writes, there is a file `.stepwell-….tmp` in the same folder. The next save in that folder removes such files of killed
 * processes.
 */
export function save(module: AnyModule, path: string): void;
export function save(...args: readonly unknown[]): unknown {
  return client.call("save", args);
}

/**
 * Sets every parameter and buffer of a module from a file in the safetensors format, such as
 * `safetensors.torch.save_file(module.state_dict(), path)` writes. A file that fails changes nothing.
 *
 * Names and shapes must be the same. Types must be the same too, unless `cast` converts them, as PyTorch's `load_state_dict`
 * always does. A number that is too large for the type becomes infinite. A file of an older version may lack
 * `num_batches_tracked`, which then stays.
 *
 * @example
 * ```ts
 * load(m, "model.safetensors", { cast: true });
 * const { missing, unexpected, mismatched } = load(m, "pretrained.safetensors", { strict: false });
 * ```
 */
export function load(module: AnyModule, path: string, options?: LoadOptions & { readonly strict?: true }): void;
/** Sets all tensors that fit by name, shape and type, and reports the others. A file that cannot be read is still an error. */
export function load(module: AnyModule, path: string, options: LoadOptions & { readonly strict: false }): LoadReport;
/** Sets parameters and buffers from a file, and returns a report if `strict` is false. */
export function load(module: AnyModule, path: string, options?: LoadOptions): LoadReport | undefined;
export function load(...args: readonly unknown[]): unknown {
  return client.call("load", args);
}
