// Losses, and losses that are kept with their options.

import type { ClassLossOptions, LossOptions, LossOptionsOf, SmoothL1Options } from "../../generated/losses.js";
import type { LossHandle, TensorHandle } from "../../handle.js";
import type { LossName, Target } from "../../types/arguments.js";
import type { AnyLoss, AnyModel, AnyTensor } from "../../types/objects.js";
import { client } from "../client.js";

/**
 * Cross entropy of logits `[n, c, *]` with classes `[n, *]`, which are whole numbers below c, or with probabilities
 * `[n, c, *]`.
 *
 * As `torch.nn.CrossEntropyLoss`, except for a mean without classes: if every class is the ignored one, the loss is 0 with gradients
 * of 0, and not NaN. The ignored class is -100 unless `ignore` is given. Any other class out of range is an error, and so is `ignore`
 * with probabilities.
 */
export function ce(input: AnyTensor, target: Target, options?: ClassLossOptions): TensorHandle;
export function ce(...args: readonly unknown[]): unknown {
  return client.call("ce", args);
}

/**
 * Negative log-likelihood of log-probabilities `[n, c, *]` with classes `[n, *]`. As `torch.nn.NLLLoss`, except for a mean without
 * classes: see {@link ce}.
 */
export function nll(input: AnyTensor, target: Target, options?: ClassLossOptions): TensorHandle;
export function nll(...args: readonly unknown[]): unknown {
  return client.call("nll", args);
}

/** Squared error of two tensors of one shape. As `torch.nn.MSELoss`. */
export function mse(input: AnyTensor, target: Target, options?: LossOptions): TensorHandle;
export function mse(...args: readonly unknown[]): unknown {
  return client.call("mse", args);
}

/** Absolute error of two tensors of one shape. As `torch.nn.L1Loss`. */
export function l1(input: AnyTensor, target: Target, options?: LossOptions): TensorHandle;
export function l1(...args: readonly unknown[]): unknown {
  return client.call("l1", args);
}

/** Squared error below `beta`, absolute error above. As `torch.nn.SmoothL1Loss`. */
export function smoothl1(input: AnyTensor, target: Target, options?: SmoothL1Options): TensorHandle;
export function smoothl1(...args: readonly unknown[]): unknown {
  return client.call("smoothl1", args);
}

/** Binary cross entropy of probabilities. As `torch.nn.BCELoss`. */
export function bce(input: AnyTensor, target: Target, options?: LossOptions): TensorHandle;
export function bce(...args: readonly unknown[]): unknown {
  return client.call("bce", args);
}

/** Binary cross entropy of logits. As `torch.nn.BCEWithLogitsLoss`. */
export function bcewithlogits(input: AnyTensor, target: Target, options?: LossOptions): TensorHandle;
export function bcewithlogits(...args: readonly unknown[]): unknown {
  return client.call("bcewithlogits", args);
}

/** The loss of a model. */
export function loss(model: AnyModel): LossHandle;
/** Applies a loss, or the loss of a model, as the function of its name does. */
export function loss(loss: AnyLoss | AnyModel, input: AnyTensor, target: Target): TensorHandle;
/**
 * Makes a loss with its options, to be kept.
 *
 * @example
 * ```ts
 * const f = loss("smoothl1", { beta: 0.5 });
 * const y = loss(f, x, [1, 2]);
 * ```
 */
export function loss<Name extends LossName>(name: Name, options?: LossOptionsOf[Name]): LossHandle;
export function loss(...args: readonly unknown[]): unknown {
  return client.call("loss", args);
}
