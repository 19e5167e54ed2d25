// Losses, and losses that are kept with their options.

import type {
  ClassLossOptions,
  CrossEntropyOptions,
  CtcOptions,
  HingeOptions,
  HuberOptions,
  KlOptions,
  LogitLossOptions,
  LossOptions,
  LossOptionsOf,
  MarginOptions,
  MultiMarginOptions,
  MultiSoftOptions,
  PoissonLossOptions,
  SmoothL1Options,
  TripletOptions,
} from "../../generated/losses.js";
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
export function ce(input: AnyTensor, target: Target, options?: CrossEntropyOptions): TensorHandle;
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

/** Binary cross entropy of probabilities, of two tensors of one shape. As `torch.nn.BCELoss`. */
export function bce(input: AnyTensor, target: Target, options?: LossOptions): TensorHandle;
/**
 * Binary cross entropy of probabilities with the weight of each loss, of a shape that broadcasts. The mean divides by the number
 * of losses.
 */
export function bce(input: AnyTensor, target: Target, weight: Target, options?: LossOptions): TensorHandle;
export function bce(...args: readonly unknown[]): unknown {
  return client.call("bce", args);
}

/** Binary cross entropy of logits, of two tensors of one shape. As `torch.nn.BCEWithLogitsLoss`. */
export function bcewithlogits(input: AnyTensor, target: Target, options?: LogitLossOptions): TensorHandle;
/**
 * Binary cross entropy of logits with the weight of each loss, of a shape that broadcasts. The mean divides by the number of
 * losses.
 */
export function bcewithlogits(
  input: AnyTensor,
  target: Target,
  weight: Target,
  options?: LogitLossOptions,
): TensorHandle;
export function bcewithlogits(...args: readonly unknown[]): unknown {
  return client.call("bcewithlogits", args);
}

/**
 * Half the squared error below `delta`, `delta` times the absolute error less half of `delta` above. Two tensors of one shape. As
 * `torch.nn.HuberLoss`. Huber 1964, "Robust Estimation of a Location Parameter".
 */
export function huber(input: AnyTensor, target: Target, options?: HuberOptions): TensorHandle;
export function huber(...args: readonly unknown[]): unknown {
  return client.call("huber", args);
}

/**
 * Kullback-Leibler divergence target (log target - input) of log-probabilities and probabilities of one shape; 0 where the target
 * is 0. As `torch.nn.KLDivLoss`. The mean is over all elements; `reduce: "batchmean"` is the divergence for each sample.
 */
export function kl(input: AnyTensor, target: Target, options?: KlOptions): TensorHandle;
export function kl(...args: readonly unknown[]): unknown {
  return client.call("kl", args);
}

/**
 * Negative log-likelihood exp(input) - target input of counts by the logarithms of Poisson rates, of two tensors of one shape. As
 * `torch.nn.PoissonNLLLoss`.
 */
export function poissonloss(input: AnyTensor, target: Target, options?: PoissonLossOptions): TensorHandle;
export function poissonloss(...args: readonly unknown[]): unknown {
  return client.call("poissonloss", args);
}

/**
 * The input where the target is 1, and max(0, margin - input) where it is -1, of two tensors of one shape. As
 * `torch.nn.HingeEmbeddingLoss`.
 */
export function hinge(input: AnyTensor, target: Target, options?: HingeOptions): TensorHandle;
export function hinge(...args: readonly unknown[]): unknown {
  return client.call("hinge", args);
}

/**
 * log(1 + exp(-target input)) of targets 1 and -1, of two tensors of one shape. As `torch.nn.SoftMarginLoss`, and finite where
 * that overflows.
 */
export function softmargin(input: AnyTensor, target: Target, options?: LossOptions): TensorHandle;
export function softmargin(...args: readonly unknown[]): unknown {
  return client.call("softmargin", args);
}

/**
 * The sum of max(0, 1 - x[label] + x[class]) over the labels of a row and the classes that are none, divided by the number of
 * classes. Input and target are `[n, classes]` or `[classes]`; a row of the target has labels, and ends at the first -1. As
 * `torch.nn.MultiLabelMarginLoss`.
 *
 * It needs memory for n classes² numbers.
 */
export function multilabel(input: AnyTensor, target: Target, options?: LossOptions): TensorHandle;
export function multilabel(...args: readonly unknown[]): unknown {
  return client.call("multilabel", args);
}

/**
 * The sum of max(0, margin - x[target] + x[class])^p over the classes other than the target, divided by the number of classes.
 * Input `[n, classes]` with targets `[n]`, or `[classes]` with a number. As `torch.nn.MultiMarginLoss`.
 */
export function multimargin(input: AnyTensor, target: Target, options?: MultiMarginOptions): TensorHandle;
export function multimargin(...args: readonly unknown[]): unknown {
  return client.call("multimargin", args);
}

/**
 * The mean over classes of the binary cross entropy of logits, of two tensors `[*, classes]` of one shape. As
 * `torch.nn.MultiLabelSoftMarginLoss`.
 */
export function multisoft(input: AnyTensor, target: Target, options?: MultiSoftOptions): TensorHandle;
export function multisoft(...args: readonly unknown[]): unknown {
  return client.call("multisoft", args);
}

/**
 * 1 - cos(input, other) where the target is 1, and max(0, cos(input, other) - margin) where it is -1. Rows `[n, d]` with targets
 * `[n]`, or vectors `[d]` with a number. As `torch.nn.CosineEmbeddingLoss`.
 */
export function cosineloss(input: AnyTensor, other: Target, target: Target, options?: MarginOptions): TensorHandle;
export function cosineloss(...args: readonly unknown[]): unknown {
  return client.call("cosineloss", args);
}

/**
 * max(0, -target (input - other) + margin): the target is 1 if the input is to be larger, and -1 if the other is. Shapes
 * broadcast. As `torch.nn.MarginRankingLoss`.
 */
export function margin(input: AnyTensor, other: Target, target: Target, options?: MarginOptions): TensorHandle;
export function margin(...args: readonly unknown[]): unknown {
  return client.call("margin", args);
}

/**
 * max(0, |anchor - positive| - |anchor - negative| + margin) with norms along the last dimension; shapes `[*, d]` broadcast. As
 * `torch.nn.TripletMarginLoss`. Balntas et al. 2016, "Learning shallow convolutional feature descriptors with triplet losses".
 */
export function triplet(anchor: AnyTensor, positive: Target, negative: Target, options?: TripletOptions): TensorHandle;
export function triplet(...args: readonly unknown[]): unknown {
  return client.call("triplet", args);
}

/**
 * Connectionist temporal classification of log-probabilities `[t, n, classes]`, float or double, by targets `[n, labels]`. Lengths
 * `[n]` say how many steps and labels of each sample count. Of one sample `n` is left out, and each length is a number. Values as
 * of `torch.nn.CTCLoss`. The gradient is the one of the log-probabilities; PyTorch's is the one of logits, and both are equal after
 * a `logsoftmax`. Graves et al. 2006, "Connectionist Temporal Classification".
 */
export function ctc(
  input: AnyTensor,
  targets: Target,
  inputlengths: Target,
  targetlengths: Target,
  options?: CtcOptions,
): TensorHandle;
export function ctc(...args: readonly unknown[]): unknown {
  return client.call("ctc", args);
}

/** The loss of a model. */
export function loss(model: AnyModel): LossHandle;
/** Applies a loss, or the loss of a model, as the function of its name does: to the input and one to three more tensors. */
export function loss(
  loss: AnyLoss | AnyModel,
  input: AnyTensor,
  target: Target,
  ...more: readonly [third?: Target, fourth?: Target]
): TensorHandle;
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
