// Functions that set parameters to initial values, in place.

import type { Parameters } from "../../types/arguments.js";
import { client } from "../client.js";

/** A nonlinearity after a layer. */
export type Nonlinearity =
  | "leakyrelu"
  | "linear"
  | "conv1d"
  | "conv2d"
  | "conv3d"
  | "convtranspose1d"
  | "convtranspose2d"
  | "convtranspose3d"
  | "sigmoid"
  | "tanh"
  | "relu"
  | "selu";

/** Whether the variance stays in the forward pass, `fanin`, or in the backward pass, `fanout`. */
export type FanMode = "fanin" | "fanout";

/** Options of {@link knormal} and {@link kuniform}. */
export interface KaimingOptions {
  /** The nonlinearity after the layer. Default "leakyrelu". */
  readonly nonlinearity?: Nonlinearity;
  /** Whether the variance stays in the forward or in the backward pass. Default "fanin". */
  readonly fanmode?: FanMode;
  /** The slope of `leakyrelu` for negative elements. Default 0. */
  readonly slope?: number;
}

/**
 * Sets parameters to normal random numbers, whose standard deviation is the {@link gain} over the root of the number of inputs. He et
 * al. 2015; as `torch.nn.init.kaiming_normal_`. The words may come in any order.
 *
 * A module stands for its weights, the parameters of two dimensions or more. A list `[object, names]` selects parameters, or weights of
 * parts. All are set, or none.
 *
 * @example
 * ```ts
 * knormal([m, "head"], "relu", "fanout");
 * ```
 */
export function knormal(object: Parameters, nonlinearity?: Nonlinearity, fanmode?: FanMode, slope?: number): void;
/** As before, with the words in the other order. */
export function knormal(object: Parameters, fanmode: FanMode, nonlinearity?: Nonlinearity, slope?: number): void;
/** As before, with options by name. */
export function knormal(object: Parameters, options: KaimingOptions): void;
export function knormal(...args: readonly unknown[]): unknown {
  return client.call("knormal", args);
}

/** As {@link knormal}, with uniform random numbers of the same variance. As `torch.nn.init.kaiming_uniform_`. */
export function kuniform(object: Parameters, nonlinearity?: Nonlinearity, fanmode?: FanMode, slope?: number): void;
/** As before, with the words in the other order. */
export function kuniform(object: Parameters, fanmode: FanMode, nonlinearity?: Nonlinearity, slope?: number): void;
/** As before, with options by name. */
export function kuniform(object: Parameters, options: KaimingOptions): void;
export function kuniform(...args: readonly unknown[]): unknown {
  return client.call("kuniform", args);
}

/**
 * Sets parameters to normal random numbers, whose variance is 2 gain² over the sum of inputs and outputs. Glorot and Bengio 2010; as
 * `torch.nn.init.xavier_normal_`. Objects as for {@link knormal}.
 *
 * @param gain - a factor of the numbers; default 1
 */
export function xnormal(object: Parameters, gain?: number): void;
/** As before, with options by name. */
export function xnormal(object: Parameters, options: { readonly gain?: number }): void;
export function xnormal(...args: readonly unknown[]): unknown {
  return client.call("xnormal", args);
}

/** As {@link xnormal}, with uniform random numbers of the same variance. As `torch.nn.init.xavier_uniform_`. */
export function xuniform(object: Parameters, gain?: number): void;
/** As before, with options by name. */
export function xuniform(object: Parameters, options: { readonly gain?: number }): void;
export function xuniform(...args: readonly unknown[]): unknown {
  return client.call("xuniform", args);
}

/**
 * Sets matrices to normal random numbers, and a share of each column to 0, rounded up. Martens 2010; as `torch.nn.init.sparse_`. Objects
 * as for {@link knormal}.
 *
 * @param sparsity - the share of zeros, from 0 to 1
 * @param std - the standard deviation of the other elements; default 0.01
 */
export function snormal(object: Parameters, sparsity: number, std?: number): void;
/** As before, with options by name. */
export function snormal(object: Parameters, options: { readonly sparsity: number; readonly std?: number }): void;
export function snormal(...args: readonly unknown[]): unknown {
  return client.call("snormal", args);
}

/**
 * Sets parameters to normal random numbers between two bounds. As `torch.nn.init.trunc_normal_`. Objects as for {@link knormal}.
 *
 * @param mean - the mean of the distribution without bounds; default 0
 * @param std - its standard deviation; default 1
 * @param min - the least number; default -2
 * @param max - the greatest number; default 2
 */
export function tnormal(object: Parameters, mean?: number, std?: number, min?: number, max?: number): void;
/** As before, with options by name. */
export function tnormal(
  object: Parameters,
  options: { readonly mean?: number; readonly std?: number; readonly min?: number; readonly max?: number },
): void;
export function tnormal(...args: readonly unknown[]): unknown {
  return client.call("tnormal", args);
}

/**
 * Sets parameters to random orthogonal matrices: rows have length `gain` and are at right angles, or columns if there are more rows.
 * Dimensions from the second on count as one. Saxe et al. 2013; as `torch.nn.init.orthogonal_`. Objects as for {@link knormal}.
 *
 * @param gain - the length of rows or columns; default 1
 */
export function orthogonal(object: Parameters, gain?: number): void;
/** As before, with options by name. */
export function orthogonal(object: Parameters, options: { readonly gain?: number }): void;
export function orthogonal(...args: readonly unknown[]): unknown {
  return client.call("orthogonal", args);
}

/**
 * Sets weights of convolutions so that each gives its input, as far as it has channels. As `torch.nn.init.dirac_`. Objects as for
 * {@link knormal}; weights have 3, 4 or 5 dimensions.
 *
 * @param groups - groups of channels of the convolution; default 1
 */
export function dirac(object: Parameters, groups?: number): void;
/** As before, with options by name. */
export function dirac(object: Parameters, options: { readonly groups?: number }): void;
export function dirac(...args: readonly unknown[]): unknown {
  return client.call("dirac", args);
}

/**
 * The factor of the standard deviation of initial weights before a nonlinearity. As `torch.nn.init.calculate_gain`.
 *
 * @param slope - the slope of `leakyrelu` for negative elements; default 0.01
 */
export function gain(nonlinearity: Nonlinearity, slope?: number): number;
export function gain(...args: readonly unknown[]): unknown {
  return client.call("gain", args);
}
