// Tensor mathematics: activation.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * max(x, 0). As `torch.relu`.
 */
export function relu(x: AnyTensor | OperandData): TensorHandle;
export function relu(...args: readonly unknown[]): unknown {
  return client.operate("relu", args);
}

/**
 * Elements limited to 0 and 6; the gradient is 0 at both ends. As `torch.relu6`.
 */
export function relu6(x: AnyTensor | OperandData): TensorHandle;
export function relu6(...args: readonly unknown[]): unknown {
  return client.operate("relu6", args);
}

/**
 * x where it is positive, else slope x. As `torch.leaky_relu`. Default: `slope` 0.01.
 */
export function leakyrelu(x: AnyTensor | OperandData, slope?: number): TensorHandle;
/**
 * x where it is positive, else slope x. As `torch.leaky_relu`. Default: `slope` 0.01.
 */
export function leakyrelu(x: AnyTensor | OperandData, options: { readonly slope?: number }): TensorHandle;
export function leakyrelu(...args: readonly unknown[]): unknown {
  return client.operate("leakyrelu", args);
}

/**
 * x where it is positive, else x times a weight: one number, or one for each channel of `x [n, c, *]`. As
 * `torch.prelu`.
 */
export function prelu(x: AnyTensor | OperandData, weight: AnyTensor | OperandData): TensorHandle;
export function prelu(...args: readonly unknown[]): unknown {
  return client.operate("prelu", args);
}

/**
 * x where it is positive, else x times a slope: drawn from `lower` to `upper` if `train`, else their mean. As
 * `torch.rrelu`. Default: `lower` 0.125, `upper` 0.3333333333333333, `train` false.
 */
export function rrelu(x: AnyTensor | OperandData, lower?: number, upper?: number, train?: boolean): TensorHandle;
/**
 * x where it is positive, else x times a slope: drawn from `lower` to `upper` if `train`, else their mean. As
 * `torch.rrelu`. Default: `lower` 0.125, `upper` 0.3333333333333333, `train` false.
 */
export function rrelu(x: AnyTensor | OperandData, options: { readonly lower?: number; readonly upper?: number; readonly train?: boolean }): TensorHandle;
export function rrelu(...args: readonly unknown[]): unknown {
  return client.operate("rrelu", args);
}

/**
 * x where it is positive, else alpha (exp(x) - 1). As `torch.elu`. Default: `alpha` 1.
 */
export function elu(x: AnyTensor | OperandData, alpha?: number): TensorHandle;
/**
 * x where it is positive, else alpha (exp(x) - 1). As `torch.elu`. Default: `alpha` 1.
 */
export function elu(x: AnyTensor | OperandData, options: { readonly alpha?: number }): TensorHandle;
export function elu(...args: readonly unknown[]): unknown {
  return client.operate("elu", args);
}

/**
 * x where it is positive, else alpha (exp(x / alpha) - 1). As `torch.celu`. Default: `alpha` 1.
 */
export function celu(x: AnyTensor | OperandData, alpha?: number): TensorHandle;
/**
 * x where it is positive, else alpha (exp(x / alpha) - 1). As `torch.celu`. Default: `alpha` 1.
 */
export function celu(x: AnyTensor | OperandData, options: { readonly alpha?: number }): TensorHandle;
export function celu(...args: readonly unknown[]): unknown {
  return client.operate("celu", args);
}

/**
 * The scaled exponential unit of self-normalising networks. As `torch.selu`.
 */
export function selu(x: AnyTensor | OperandData): TensorHandle;
export function selu(...args: readonly unknown[]): unknown {
  return client.operate("selu", args);
}

/**
 * x times the normal distribution function at x; with `tanh` its approximation. As `torch.gelu`. Default: `tanh`
 * false.
 */
export function gelu(x: AnyTensor | OperandData, tanh?: boolean): TensorHandle;
/**
 * x times the normal distribution function at x; with `tanh` its approximation. As `torch.gelu`. Default: `tanh`
 * false.
 */
export function gelu(x: AnyTensor | OperandData, options: { readonly tanh?: boolean }): TensorHandle;
export function gelu(...args: readonly unknown[]): unknown {
  return client.operate("gelu", args);
}

/**
 * x sigmoid(x). As `torch.silu`.
 */
export function silu(x: AnyTensor | OperandData): TensorHandle;
export function silu(...args: readonly unknown[]): unknown {
  return client.operate("silu", args);
}

/**
 * x tanh(log(1 + exp(x))). As `torch.mish`.
 */
export function mish(x: AnyTensor | OperandData): TensorHandle;
export function mish(...args: readonly unknown[]): unknown {
  return client.operate("mish", args);
}

/**
 * log(1 + exp(beta x)) / beta, and x where beta x is above the threshold. As `torch.nn.functional.softplus`.
 * Default: `beta` 1, `threshold` 20.
 */
export function softplus(x: AnyTensor | OperandData, beta?: number, threshold?: number): TensorHandle;
/**
 * log(1 + exp(beta x)) / beta, and x where beta x is above the threshold. As `torch.nn.functional.softplus`.
 * Default: `beta` 1, `threshold` 20.
 */
export function softplus(x: AnyTensor | OperandData, options: { readonly beta?: number; readonly threshold?: number }): TensorHandle;
export function softplus(...args: readonly unknown[]): unknown {
  return client.operate("softplus", args);
}

/**
 * x / (1 + abs(x)). As `torch.softsign`.
 */
export function softsign(x: AnyTensor | OperandData): TensorHandle;
export function softsign(...args: readonly unknown[]): unknown {
  return client.operate("softsign", args);
}

/**
 * The first half along a dimension times the sigmoid of the second. As `torch.nn.functional.glu`. Default: `dim` -1.
 */
export function glu(x: AnyTensor | OperandData, dim?: number): TensorHandle;
/**
 * The first half along a dimension times the sigmoid of the second. As `torch.nn.functional.glu`. Default: `dim` -1.
 */
export function glu(x: AnyTensor | OperandData, options: { readonly dim?: number }): TensorHandle;
export function glu(...args: readonly unknown[]): unknown {
  return client.operate("glu", args);
}

/**
 * Elements limited to min and max; the gradient is 0 at both ends. As `torch.hardtanh`. Default: `min` -1, `max` 1.
 */
export function hardtanh(x: AnyTensor | OperandData, min?: number, max?: number): TensorHandle;
/**
 * Elements limited to min and max; the gradient is 0 at both ends. As `torch.hardtanh`. Default: `min` -1, `max` 1.
 */
export function hardtanh(x: AnyTensor | OperandData, options: { readonly min?: number; readonly max?: number }): TensorHandle;
export function hardtanh(...args: readonly unknown[]): unknown {
  return client.operate("hardtanh", args);
}

/**
 * x where |x| > lambda, else 0. As `torch.hardshrink`. Default: `lambda` 0.5.
 */
export function hardshrink(x: AnyTensor | OperandData, lambda?: number): TensorHandle;
/**
 * x where |x| > lambda, else 0. As `torch.hardshrink`. Default: `lambda` 0.5.
 */
export function hardshrink(x: AnyTensor | OperandData, options: { readonly lambda?: number }): TensorHandle;
export function hardshrink(...args: readonly unknown[]): unknown {
  return client.operate("hardshrink", args);
}

/**
 * x moved towards 0 by lambda, and 0 where |x| <= lambda. As `torch.softshrink`. Default: `lambda` 0.5.
 */
export function softshrink(x: AnyTensor | OperandData, lambda?: number): TensorHandle;
/**
 * x moved towards 0 by lambda, and 0 where |x| <= lambda. As `torch.softshrink`. Default: `lambda` 0.5.
 */
export function softshrink(x: AnyTensor | OperandData, options: { readonly lambda?: number }): TensorHandle;
export function softshrink(...args: readonly unknown[]): unknown {
  return client.operate("softshrink", args);
}

/**
 * x - tanh(x). As `torch.tanhshrink`.
 */
export function tanhshrink(x: AnyTensor | OperandData): TensorHandle;
export function tanhshrink(...args: readonly unknown[]): unknown {
  return client.operate("tanhshrink", args);
}

/**
 * The logarithm of the sigmoid. As `torch.nn.functional.logsigmoid`.
 */
export function logsigmoid(x: AnyTensor | OperandData): TensorHandle;
export function logsigmoid(...args: readonly unknown[]): unknown {
  return client.operate("logsigmoid", args);
}

/**
 * x where it is larger than the threshold, else the value. As `torch.threshold`.
 */
export function threshold(x: AnyTensor | OperandData, threshold: number, value: number): TensorHandle;
/**
 * x where it is larger than the threshold, else the value. As `torch.threshold`.
 */
export function threshold(x: AnyTensor | OperandData, options: { readonly threshold: number; readonly value: number }): TensorHandle;
export function threshold(...args: readonly unknown[]): unknown {
  return client.operate("threshold", args);
}

/**
 * The hyperbolic tangent. As `torch.tanh`.
 */
export function tanh(x: AnyTensor | OperandData): TensorHandle;
export function tanh(...args: readonly unknown[]): unknown {
  return client.operate("tanh", args);
}

/**
 * 1 / (1 + exp(-x)). As `torch.sigmoid`.
 */
export function sigmoid(x: AnyTensor | OperandData): TensorHandle;
export function sigmoid(...args: readonly unknown[]): unknown {
  return client.operate("sigmoid", args);
}

/**
 * exp(x) divided by its sum along a dimension. As `torch.softmax`.
 */
export function softmax(x: AnyTensor | OperandData, dim: number): TensorHandle;
/**
 * exp(x) divided by its sum along a dimension. As `torch.softmax`.
 */
export function softmax(x: AnyTensor | OperandData, options: { readonly dim: number }): TensorHandle;
export function softmax(...args: readonly unknown[]): unknown {
  return client.operate("softmax", args);
}

/**
 * The logarithm of `softmax`, precise for small probabilities. As `torch.log_softmax`.
 */
export function logsoftmax(x: AnyTensor | OperandData, dim: number): TensorHandle;
/**
 * The logarithm of `softmax`, precise for small probabilities. As `torch.log_softmax`.
 */
export function logsoftmax(x: AnyTensor | OperandData, options: { readonly dim: number }): TensorHandle;
export function logsoftmax(...args: readonly unknown[]): unknown {
  return client.operate("logsoftmax", args);
}

/**
 * `softmax` of -x. As `torch.softmin`.
 */
export function softmin(x: AnyTensor | OperandData, dim: number): TensorHandle;
/**
 * `softmax` of -x. As `torch.softmin`.
 */
export function softmin(x: AnyTensor | OperandData, options: { readonly dim: number }): TensorHandle;
export function softmin(...args: readonly unknown[]): unknown {
  return client.operate("softmin", args);
}
