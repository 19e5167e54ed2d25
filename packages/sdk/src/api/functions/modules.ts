// Functions of modules: making, running, looking up.

import { callAsync } from "../../client/asynchronous-calls.js";
import type { DictionaryHandle, ModuleHandle, TensorHandle } from "../../handle.js";
import type { ModuleSource } from "../../types/layers.js";
import type { AnyModel, AnyModule, AnyOptimizer } from "../../types/objects.js";
import type { ModuleInputs } from "../../types/own-modules.js";
import { presentInputs } from "../../values/inputs.js";
import { client } from "../client.js";

/**
 * Makes a module with fresh parameters from a specification: a layer, or layers in a {@link seq}. They are drawn from the generator
 * of the session (see {@link seed}) as the layers of PyTorch draw theirs.
 *
 * From the result of {@link state} it makes a module with the parameters of the state.
 *
 * Of an optimizer it is the container of all objects that the parameters came from. One module is its own container. Several modules
 * stand under their names, or under their positions if they have none; tensors stand under `parms`. A container has modules at most
 * 128 deep, and at most 2^18 of them.
 *
 * Of a model it is the module, shared with it.
 *
 * @param source - a specification, a state, an optimizer or a model
 * @example
 * ```ts
 * const m = module(["linear", "head", 128, 10, { bias: false }]);
 * const copy = module(state(m));
 * ```
 */
export function module<const Source>(source: ModuleSource<Source, AnyOptimizer | AnyModel>): ModuleHandle;
export function module(...args: readonly unknown[]): unknown {
  return client.call("module", args);
}

/**
 * Runs a module as in training: with dropout and batch statistics, recording the graph for `backward`. Within the forward pass of an
 * own module it runs as that pass does.
 *
 * @param inputs - one input, or as many as the module takes
 */
export function forward(module: AnyModule | AnyModel, ...inputs: ModuleInputs): TensorHandle;
/** Runs a module with several outputs, which are a list. A program states their number: `forward<[TensorHandle, TensorHandle]>(m, x)`. */
export function forward<Outputs extends readonly TensorHandle[]>(
  module: AnyModule | AnyModel,
  ...inputs: ModuleInputs
): Outputs;
export function forward(...args: readonly unknown[]): unknown {
  return client.call("forward", presentInputs(args));
}

/** Runs a module as in use: without dropout, with running statistics, recording no graph. Inputs and outputs as of {@link forward}. */
export function evaluate(module: AnyModule | AnyModel, ...inputs: ModuleInputs): TensorHandle;
/** Runs a module with several outputs as in use. */
export function evaluate<Outputs extends readonly TensorHandle[]>(
  module: AnyModule | AnyModel,
  ...inputs: ModuleInputs
): Outputs;
export function evaluate(...args: readonly unknown[]): unknown {
  return client.call("evaluate", presentInputs(args));
}

/**
 * Runs a module as {@link evaluate} does, on a thread of the engine. Until it is over, the module, the tensors among the inputs and all that
 * shares them are `ERR_BUSY` for other calls. In WebAssembly it runs in the next turn of the event loop. Natively not for modules with functions of the
 * program.
 *
 * Numbers are copied before the call returns: a million in nested lists hold the event loop for some tenths of a second. A large input is a tensor, which is
 * not copied, or a typed array.
 */
export function evaluateAsync(module: AnyModule | AnyModel, ...inputs: ModuleInputs): Promise<TensorHandle>;
/** Runs a module with several outputs. */
export function evaluateAsync<Outputs extends readonly TensorHandle[]>(
  module: AnyModule | AnyModel,
  ...inputs: ModuleInputs
): Promise<Outputs>;
export function evaluateAsync(...args: readonly unknown[]): Promise<unknown> {
  return callAsync(client, "evaluate", presentInputs(args), { name: "evaluateAsync" });
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

/**
 * The direct children in the order of {@link childnames}, shared with the module.
 *
 * @returns a new handle for each
 */
export function children(module: AnyModule): ModuleHandle[];
export function children(...args: readonly unknown[]): unknown {
  return client.call("children", args);
}

/**
 * All descendants in the order of {@link names}, depth first, shared with the module.
 *
 * @returns a new handle for each
 */
export function modules(module: AnyModule): ModuleHandle[];
export function modules(...args: readonly unknown[]): unknown {
  return client.call("modules", args);
}

/** The kinds of all descendants, by dotted name. */
export function moduletypes(module: AnyModule): Readonly<Record<string, string>>;
export function moduletypes(...args: readonly unknown[]): unknown {
  return client.call("moduletypes", args);
}

/** For each parameter, by dotted name, the kind of the module that has it. */
export function parmtypes(module: AnyModule): Readonly<Record<string, string>>;
export function parmtypes(...args: readonly unknown[]): unknown {
  return client.call("parmtypes", args);
}

/** The buffers by dotted name, shared with the module: tensors of its state that are not trained. */
export function buffers(module: AnyModule): DictionaryHandle;
export function buffers(...args: readonly unknown[]): unknown {
  return client.call("buffers", args);
}

/** The buffer of a dotted name, shared with the module: a change of one changes the other. */
export function buffer(module: AnyModule, name: string): TensorHandle;
export function buffer(...args: readonly unknown[]): unknown {
  return client.call("buffer", args);
}

/** Dotted names of all buffers. */
export function buffernames(module: AnyModule): string[];
export function buffernames(...args: readonly unknown[]): unknown {
  return client.call("buffernames", args);
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
 * A copy of a module, or of the module of a model. It has own parameters and buffers, of equal values, dtypes and devices. A frozen
 * parameter stays frozen, and a part that occurs twice stays one part. Gradients are not copied.
 *
 * @example
 * ```ts
 * const published = clone(m);
 * copyparms(m, published); // after each training, for predictions from weights that do not change meanwhile
 * ```
 */
export function clone(module: AnyModule | AnyModel): ModuleHandle;
export function clone(...args: readonly unknown[]): unknown {
  return client.copyModule(args)[0];
}

/**
 * Overwrites the parameters and buffers of a module from another one, all or none. Both have tensors of the same names and
 * shapes (`ERR_PARAMETER`, `ERR_SHAPE`). Dtypes and devices of the target stay.
 *
 * @param from - a module or a model, which stays as it is
 * @param to - a module or a model; the state of its optimizer stays
 */
export function copyparms(from: AnyModule | AnyModel, to: AnyModule | AnyModel): void;
export function copyparms(...args: readonly unknown[]): unknown {
  return client.call("copyparms", args);
}
