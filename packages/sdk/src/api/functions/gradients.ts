// Functions that compute, read, set and clip gradients.

import type { Parameters, SelectedFrom, Selector } from "../../types/arguments.js";
import type { AnyModel, AnyOptimizer, AnyTensor } from "../../types/objects.js";
import type { Numbers, TensorData } from "../../types/tensor-data.js";
import { asNumbers } from "../../values/numbers.js";
import { client } from "../client.js";

/**
 * Accumulates the gradients of a scalar into every leaf that it was computed from.
 *
 * @param optimizer - multiplies the scalar by its loss scale: see {@link lossscale}
 */
export function backward(tensor: AnyTensor, optimizer?: AnyOptimizer | AnyModel): void;
/**
 * Accumulates the gradients of the sum of `tensor` times `gradient` into every leaf that the tensor was computed from. As
 * `torch.Tensor.backward` with its argument `gradient`.
 *
 * No gradient flows into `gradient` itself. Numbers are converted to the dtype of the tensor; a tensor must have that dtype.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2, 3], "grad");
 * backward(mul(x, x), [1, 0, 2]);
 * grad(x); // [2, 0, 12]
 * ```
 *
 * @param gradient - the gradient of some scalar with respect to `tensor`, in the shape of `tensor`
 * @param optimizer - multiplies `gradient` by its loss scale
 */
export function backward(
  tensor: AnyTensor,
  gradient: AnyTensor | TensorData | undefined,
  optimizer?: AnyOptimizer | AnyModel,
): void;
export function backward(...args: readonly unknown[]): unknown {
  return client.call("backward", args);
}

/**
 * The gradient of a tensor; undefined if there is none. The gradient of a parameter whose optimizer scales losses is given without
 * the scale: see {@link lossscale}.
 */
export function grad(tensor: AnyTensor): Numbers | undefined;
/** Sets the gradient of a tensor, in the shape and type of the tensor and without the loss scale. */
export function grad(tensor: AnyTensor, gradient: AnyTensor | TensorData): void;
export function grad(...args: readonly unknown[]): unknown {
  return asNumbers("grad", client.call("grad", args));
}

/** Whether gradients are computed: one flag, or one for each tensor of the object. */
export function gradflag(object: Parameters): boolean | readonly boolean[];
/**
 * Sets whether gradients are computed. A parameter whose flag is off is frozen: no optimizer updates it, not by momentum or weight
 * decay either, whatever gradient it has. Its state, step count and moving average stay, and no norm of a step counts it. With
 * the flag on again it goes on from there.
 *
 * A change of the flags makes `lbfgs` drop its curvature, which belongs to the parameters it was learned of; its next step begins
 * anew. Buffers are not parameters: running statistics follow the use of the module.
 *
 * @example
 * ```ts
 * gradflag(child(m, "body"), false); // only the head is trained from here on
 * ```
 */
export function gradflag(object: Parameters, flag: boolean): void;
export function gradflag(...args: readonly unknown[]): unknown {
  return client.call("gradflag", args);
}

/** Whether no operation made a tensor. Gradients accumulate in leaves alone. */
export function leaf(tensor: AnyTensor): boolean;
export function leaf(...args: readonly unknown[]): unknown {
  return client.call("leaf", args);
}

/**
 * Freezes parameters: no gradient is computed for them, and steps leave them and their state alone until {@link unfreeze}. As
 * `gradflag(object, false)`.
 *
 * A name is the one of a module or a parameter in a module, or a key of a dictionary. Parts of a vector have indices.
 *
 * @example
 * ```ts
 * freeze(m, ["embed", "body"]); // only the head is trained from here on
 * ```
 */
export function freeze(object: Parameters): void;
/** Freezes those parameters of an object that are named. */
export function freeze(object: SelectedFrom, names: Selector): void;
export function freeze(...args: readonly unknown[]): unknown {
  return client.call("freeze", args);
}

/** Ends the freezing of parameters by {@link freeze}, which has the same arguments. */
export function unfreeze(object: Parameters): void;
/** Ends the freezing of those parameters of an object that are named. */
export function unfreeze(object: SelectedFrom, names: Selector): void;
export function unfreeze(...args: readonly unknown[]): unknown {
  return client.call("unfreeze", args);
}

/** Sets gradients to 0; undefined ones stay undefined. */
export function zerograd(object: AnyOptimizer | AnyModel | Parameters): void;
export function zerograd(...args: readonly unknown[]): unknown {
  return client.call("zerograd", args);
}

/** Makes gradients undefined, which also frees them. */
export function nograd(object: AnyOptimizer | AnyModel | Parameters): void;
export function nograd(...args: readonly unknown[]): unknown {
  return client.call("nograd", args);
}

/**
 * Scales all gradients of an object by one factor, in place, so that their norm as one vector is at most `max`. As
 * `torch.nn.utils.clip_grad_norm_`.
 *
 * For an optimizer or a model it clips the gradients of the parameters of the optimizer. It counts frozen ones, which `clipnorm` of
 * a step leaves out. A model that {@link run} trains clips inside the step: see its option `clipnorm`.
 *
 * @param max - a number > 0
 * @returns the norm before
 */
export function clip(object: AnyOptimizer | AnyModel | Parameters, max: number): number;
export function clip(...args: readonly unknown[]): unknown {
  return client.call("clip", args);
}

/** Clamps each element of the gradients to `max` and its negative, in place. As `torch.nn.utils.clip_grad_value_`. */
export function clipv(object: AnyOptimizer | AnyModel | Parameters, max: number): void;
export function clipv(...args: readonly unknown[]): unknown {
  return client.call("clipv", args);
}
