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
  return client.call("variance", args);
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
  return client.call("std", args);
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
  return client.call("meanstd", args);
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
  return client.call("meanvar", args);
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
  return client.call("vnorm", args);
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
  return client.call("dist", args);
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
  return client.call("renorm", args);
}
