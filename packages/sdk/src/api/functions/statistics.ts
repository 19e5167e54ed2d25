// Tensor mathematics: statistics.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * The variance over all elements or over dimensions, with the divisor n - correction. As `torch.var`. Default:
 * `correction` 1, `keepdim` false.
 */
export function variance(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, correction?: number, keepdim?: boolean): TensorHandle;
/**
 * The variance over all elements or over dimensions, with the divisor n - correction. As `torch.var`. Default:
 * `correction` 1, `keepdim` false.
 */
export function variance(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly correction?: number; readonly keepdim?: boolean }): TensorHandle;
export function variance(...args: readonly unknown[]): unknown {
  return client.operate("variance", args);
}

/**
 * The square root of the variance. As `torch.std`. Default: `correction` 1, `keepdim` false.
 */
export function std(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, correction?: number, keepdim?: boolean): TensorHandle;
/**
 * The square root of the variance. As `torch.std`. Default: `correction` 1, `keepdim` false.
 */
export function std(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly correction?: number; readonly keepdim?: boolean }): TensorHandle;
export function std(...args: readonly unknown[]): unknown {
  return client.operate("std", args);
}

/**
 * The mean and the standard deviation, in the order of the k-api. As `torch.std_mean`. Default: `correction` 1,
 * `keepdim` false.
 */
export function meanstd(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, correction?: number, keepdim?: boolean): [TensorHandle, TensorHandle];
/**
 * The mean and the standard deviation, in the order of the k-api. As `torch.std_mean`. Default: `correction` 1,
 * `keepdim` false.
 */
export function meanstd(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly correction?: number; readonly keepdim?: boolean }): [TensorHandle, TensorHandle];
export function meanstd(...args: readonly unknown[]): unknown {
  return client.operate("meanstd", args);
}

/**
 * The mean and the variance, in the order of the k-api. As `torch.var_mean`. Default: `correction` 1, `keepdim`
 * false.
 */
export function meanvar(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, correction?: number, keepdim?: boolean): [TensorHandle, TensorHandle];
/**
 * The mean and the variance, in the order of the k-api. As `torch.var_mean`. Default: `correction` 1, `keepdim`
 * false.
 */
export function meanvar(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly correction?: number; readonly keepdim?: boolean }): [TensorHandle, TensorHandle];
export function meanvar(...args: readonly unknown[]): unknown {
  return client.operate("meanvar", args);
}

/**
 * The norm of order p over all elements or over dimensions. Order 0 counts the elements that differ from 0, without
 * a gradient. As `torch.linalg.vector_norm`. Default: `p` 2, `keepdim` false.
 */
export function vnorm(x: AnyTensor | OperandData, p?: number, dim?: number | readonly number[] | null, keepdim?: boolean): TensorHandle;
/**
 * The norm of order p over all elements or over dimensions. Order 0 counts the elements that differ from 0, without
 * a gradient. As `torch.linalg.vector_norm`. Default: `p` 2, `keepdim` false.
 */
export function vnorm(x: AnyTensor | OperandData, options: { readonly p?: number; readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): TensorHandle;
export function vnorm(...args: readonly unknown[]): unknown {
  return client.operate("vnorm", args);
}

/**
 * The norm of order p of x - y: see `vnorm`. As `torch.dist`. Default: `p` 2.
 */
export function dist(x: AnyTensor | OperandData, y: AnyTensor | OperandData, p?: number): TensorHandle;
/**
 * The norm of order p of x - y: see `vnorm`. As `torch.dist`. Default: `p` 2.
 */
export function dist(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly p?: number }): TensorHandle;
export function dist(...args: readonly unknown[]): unknown {
  return client.operate("dist", args);
}

/**
 * Parts of x along a dimension, each scaled down to a norm of order p of `maxnorm` if its norm is larger. As
 * `torch.renorm`.
 */
export function renorm(x: AnyTensor | OperandData, p: number, dim: number, maxnorm: number): TensorHandle;
/**
 * Parts of x along a dimension, each scaled down to a norm of order p of `maxnorm` if its norm is larger. As
 * `torch.renorm`.
 */
export function renorm(x: AnyTensor | OperandData, options: { readonly p: number; readonly dim: number; readonly maxnorm: number }): TensorHandle;
export function renorm(...args: readonly unknown[]): unknown {
  return client.operate("renorm", args);
}

/**
 * The norm of order p of x - y + eps along the last dimension. x and y broadcast. As
 * `torch.nn.functional.pairwise_distance`. Default: `p` 2, `eps` 0.000001, `keepdim` false.
 */
export function pairwise(x: AnyTensor | OperandData, y: AnyTensor | OperandData, p?: number, eps?: number, keepdim?: boolean): TensorHandle;
/**
 * The norm of order p of x - y + eps along the last dimension. x and y broadcast. As
 * `torch.nn.functional.pairwise_distance`. Default: `p` 2, `eps` 0.000001, `keepdim` false.
 */
export function pairwise(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly p?: number; readonly eps?: number; readonly keepdim?: boolean }): TensorHandle;
export function pairwise(...args: readonly unknown[]): unknown {
  return client.operate("pairwise", args);
}

/**
 * The cosine of the angle of x and y along a dimension; norms count as eps at least. x and y broadcast. As
 * `torch.nn.functional.cosine_similarity`. Default: `dim` 1, `eps` 0.00000001.
 */
export function similar(x: AnyTensor | OperandData, y: AnyTensor | OperandData, dim?: number, eps?: number): TensorHandle;
/**
 * The cosine of the angle of x and y along a dimension; norms count as eps at least. x and y broadcast. As
 * `torch.nn.functional.cosine_similarity`. Default: `dim` 1, `eps` 0.00000001.
 */
export function similar(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly dim?: number; readonly eps?: number }): TensorHandle;
export function similar(...args: readonly unknown[]): unknown {
  return client.operate("similar", args);
}

/**
 * The distances of order p of every two rows of `x [n, d]`: `[n (n - 1) / 2]`, of the first row with all others
 * first. As `torch.nn.functional.pdist`. Default: `p` 2.
 */
export function pdist(x: AnyTensor | OperandData, p?: number): TensorHandle;
/**
 * The distances of order p of every two rows of `x [n, d]`: `[n (n - 1) / 2]`, of the first row with all others
 * first. As `torch.nn.functional.pdist`. Default: `p` 2.
 */
export function pdist(x: AnyTensor | OperandData, options: { readonly p?: number }): TensorHandle;
export function pdist(...args: readonly unknown[]): unknown {
  return client.operate("pdist", args);
}

/**
 * Vectors along a dimension divided by their norm of order p, or by eps if that is larger. As
 * `torch.nn.functional.normalize`. Default: `p` 2, `dim` 1, `eps` 0.000000000001.
 */
export function normalize(x: AnyTensor | OperandData, p?: number, dim?: number, eps?: number): TensorHandle;
/**
 * Vectors along a dimension divided by their norm of order p, or by eps if that is larger. As
 * `torch.nn.functional.normalize`. Default: `p` 2, `dim` 1, `eps` 0.000000000001.
 */
export function normalize(x: AnyTensor | OperandData, options: { readonly p?: number; readonly dim?: number; readonly eps?: number }): TensorHandle;
export function normalize(...args: readonly unknown[]): unknown {
  return client.operate("normalize", args);
}

/**
 * x minus the mean, divided by the deviation. A list of either is for the channels of `x [*, c, h, w]`.
 */
export function zscore(x: AnyTensor | OperandData, mean: AnyTensor | OperandData, std: AnyTensor | OperandData): TensorHandle;
export function zscore(...args: readonly unknown[]): unknown {
  return client.operate("zscore", args);
}

/**
 * x divided by the root of its mean square over the last dimensions, which have the sizes in `shape`; times a weight
 * of that shape. As `torch.nn.functional.rms_norm`.
 */
export function rmsnorm(x: AnyTensor | OperandData, shape: number | readonly number[], weight?: AnyTensor | OperandData | null, eps?: number | null): TensorHandle;
/**
 * x divided by the root of its mean square over the last dimensions, which have the sizes in `shape`; times a weight
 * of that shape. As `torch.nn.functional.rms_norm`.
 */
export function rmsnorm(x: AnyTensor | OperandData, options: { readonly shape: number | readonly number[]; readonly weight?: AnyTensor | OperandData | null; readonly eps?: number | null }): TensorHandle;
export function rmsnorm(...args: readonly unknown[]): unknown {
  return client.operate("rmsnorm", args);
}

/**
 * Each element of `x [n, c, *]` divided by (k + alpha m) to the power beta, with the mean m of the squares of `size`
 * channels around its own. As `torch.nn.functional.local_response_norm`. Default: `alpha` 0.0001, `beta` 0.75, `k`
 * 1.
 */
export function localnorm(x: AnyTensor | OperandData, size: number, alpha?: number, beta?: number, k?: number): TensorHandle;
/**
 * Each element of `x [n, c, *]` divided by (k + alpha m) to the power beta, with the mean m of the squares of `size`
 * channels around its own. As `torch.nn.functional.local_response_norm`. Default: `alpha` 0.0001, `beta` 0.75, `k`
 * 1.
 */
export function localnorm(x: AnyTensor | OperandData, options: { readonly size: number; readonly alpha?: number; readonly beta?: number; readonly k?: number }): TensorHandle;
export function localnorm(...args: readonly unknown[]): unknown {
  return client.operate("localnorm", args);
}
