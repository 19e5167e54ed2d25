// Functions of a program as modules.

import { StepwellError } from "../../errors.js";
import type { ModuleHandle, TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type {
  CallbackOptions,
  GradientBackward,
  GradientForward,
  GradientFunction,
  ModuleFunction,
} from "../../types/own-modules.js";
import { namedOptions } from "../../values/named-options.js";
import { isDictionary, isFunction } from "../../values/plain-data.js";
import { refuse, refuseSurplus } from "../../values/refuse.js";
import { client } from "../client.js";
import { gradientsOf, isTensor, outputsOf } from "./outputs.js";

/**
 * A module whose forward pass is a function. Containers and own modules hold it like any module.
 *
 * The function gets a tensor for each input, and returns a tensor or a list of them. The pass frees everything else
 * that it makes, as {@link scoped} does. It is synchronous, and may call every function, except to free its inputs, or to run or free the model that calls it
 * (`ERR_BUSY`). An exception arrives as it was thrown, and the pass has then changed nothing.
 *
 * @param options - `parms`: tensors that the function uses and that are trained; `buffers`: tensors that belong to the state
 * @example
 * ```ts
 * const scale = tensor([1], "grad");
 * const m = module(seq("sequential", ["linear", 2, 2], callback((x) => mul(x, scale), { parms: { scale } })));
 * ```
 */
export function callback(forward: ModuleFunction, options?: CallbackOptions): ModuleHandle;
export function callback(forward: unknown, options: unknown = {}, ...surplus: readonly unknown[]): ModuleHandle {
  if (!isFunction(forward)) refuse("callback", "a function as argument 1", forward);
  refuseSurplus("callback", surplus);
  const given = namedOptions<CallbackOptions>("callback", options, ["parms", "buffers"]);
  const parms = tensorsByName("parms", given.parms);
  const buffers = tensorsByName("buffers", given.buffers);
  const members = [...Object.entries(parms), ...Object.entries(buffers)];
  const run = (inputs: readonly TensorHandle[]) => outputsOf("callback", Reflect.apply(forward, undefined, inputs));
  const hosted = { where: "callback", run };
  const [module, names] = client.makeCallback(hosted, forward.name, members, Object.keys(buffers));
  const [plain] = Object.keys(parms).filter((name) => !names.includes(name));
  if (plain === undefined) return module;
  client.free([module]);
  throw new StepwellError("ERR_PARAMETER", `callback: expected leaf tensors with "grad" as parms, given \`${plain}\``);
}

/** Tensors of a callback by name. */
function tensorsByName(option: "parms" | "buffers", given: unknown = {}): Readonly<Record<string, AnyTensor>> {
  const expected = "a dictionary of tensors";
  if (typeof given !== "object" || given === null || !isDictionary(given)) {
    return refuse(`callback ${option}`, expected, given);
  }
  const entries = Object.entries(given);
  const other = entries.find(([, value]) => !isTensor(value));
  if (other !== undefined) refuse(`callback ${option}`, `${expected} as \`${other[0]}\``, other[1]);
  return Object.fromEntries(entries) as Record<string, AnyTensor>;
}

/**
 * A function of tensors whose gradient is calculated by another function. Its result is a tensor with a graph, as of an operation.
 *
 * `forward` gets the inputs, and returns one tensor of floating point; no graph is recorded in it. `backward` gets the gradient of that
 * tensor and the inputs, during {@link backward}. It returns a gradient of the shape and the type of each input, in a list, or null for
 * an input without one. For one input it may return the gradient itself. Gradients of gradients are not calculated.
 *
 * Both are synchronous; what they make else is freed. They may call every function, except that `backward` cannot begin another
 * {@link backward} (`ERR_BUSY`). If one throws, the exception arrives as it was thrown, and no gradient has changed. Inputs are on the CPU:
 * others are `ERR_UNSUPPORTED`.
 *
 * @example
 * ```ts
 * // Rounds, and passes the gradient on as it is.
 * const rounded = gradient((x) => round(x), (g) => g);
 * const y = rounded(tensor([0.4, 1.6], "grad"));
 * ```
 */
export function gradient(forward: GradientForward, backward: GradientBackward): GradientFunction;
export function gradient(forward: unknown, backward: unknown, ...surplus: readonly unknown[]): GradientFunction {
  if (!isFunction(forward)) refuse("gradient", "a function as argument 1", forward);
  if (!isFunction(backward)) refuse("gradient", "a function as argument 2", backward);
  refuseSurplus("gradient", surplus);
  const forwards = {
    where: "gradient",
    run: (inputs: readonly TensorHandle[]) => outputsOf("gradient", Reflect.apply(forward, undefined, inputs)),
  };
  const backwards = {
    where: "gradient",
    run: (inputs: readonly TensorHandle[]) => gradientsOf("gradient", Reflect.apply(backward, undefined, inputs)),
  };
  const hosted = [forwards, backwards] as const;
  const [first, second] = hosted.map((each) => client.host(each)) as [number, number];
  // The closure holds both functions, and a graph holds the second one.
  return (...inputs: readonly unknown[]) => {
    if (inputs.length === 0) refuse("gradient", "a tensor as argument 1 of the function", undefined);
    const other = inputs.findIndex((input) => !isTensor(input));
    if (other >= 0) refuse("gradient", `a tensor as argument ${other + 1} of the function`, inputs[other]);
    return client.applyWithBackward(first, second, hosted[1], inputs) as TensorHandle;
  };
}
