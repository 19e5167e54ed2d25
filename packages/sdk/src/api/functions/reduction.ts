// Tensor mathematics: reduction.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * The sum over all elements or over dimensions. Booleans are counted. As `torch.sum`. Default: `keepdim` false.
 */
export function sum(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, keepdim?: boolean): TensorHandle;
/**
 * The sum over all elements or over dimensions. Booleans are counted. As `torch.sum`. Default: `keepdim` false.
 */
export function sum(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): TensorHandle;
export function sum(...args: readonly unknown[]): unknown {
  return client.operate("sum", args);
}

/**
 * The mean over all elements or over dimensions. As `torch.mean`. Default: `keepdim` false.
 */
export function mean(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, keepdim?: boolean): TensorHandle;
/**
 * The mean over all elements or over dimensions. As `torch.mean`. Default: `keepdim` false.
 */
export function mean(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): TensorHandle;
export function mean(...args: readonly unknown[]): unknown {
  return client.operate("mean", args);
}

/**
 * The product over all elements or over dimensions. As `torch.prod`. Default: `keepdim` false.
 */
export function prod(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, keepdim?: boolean): TensorHandle;
/**
 * The product over all elements or over dimensions. As `torch.prod`. Default: `keepdim` false.
 */
export function prod(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): TensorHandle;
export function prod(...args: readonly unknown[]): unknown {
  return client.operate("prod", args);
}

/**
 * The largest element over dimensions. Equal ones share the gradient. As `torch.amax`. Default: `keepdim` false.
 */
export function amax(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, keepdim?: boolean): TensorHandle;
/**
 * The largest element over dimensions. Equal ones share the gradient. As `torch.amax`. Default: `keepdim` false.
 */
export function amax(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): TensorHandle;
export function amax(...args: readonly unknown[]): unknown {
  return client.operate("amax", args);
}

/**
 * The smallest element over dimensions. Equal ones share the gradient. As `torch.amin`. Default: `keepdim` false.
 */
export function amin(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, keepdim?: boolean): TensorHandle;
/**
 * The smallest element over dimensions. Equal ones share the gradient. As `torch.amin`. Default: `keepdim` false.
 */
export function amin(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): TensorHandle;
export function amin(...args: readonly unknown[]): unknown {
  return client.operate("amin", args);
}

/**
 * The smallest and the largest element over dimensions. As `torch.aminmax`. Default: `keepdim` false.
 */
export function aminmax(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, keepdim?: boolean): [TensorHandle, TensorHandle];
/**
 * The smallest and the largest element over dimensions. As `torch.aminmax`. Default: `keepdim` false.
 */
export function aminmax(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): [TensorHandle, TensorHandle];
export function aminmax(...args: readonly unknown[]): unknown {
  return client.operate("aminmax", args);
}

/**
 * The largest elements along a dimension, and their indices. The gradient goes to the first of equal ones. As
 * `torch.max`. Default: `keepdim` false.
 */
export function max(x: AnyTensor | OperandData, dim: number, keepdim?: boolean): [TensorHandle, TensorHandle];
/**
 * The largest elements along a dimension, and their indices. The gradient goes to the first of equal ones. As
 * `torch.max`. Default: `keepdim` false.
 */
export function max(x: AnyTensor | OperandData, options: { readonly dim: number; readonly keepdim?: boolean }): [TensorHandle, TensorHandle];
export function max(...args: readonly unknown[]): unknown {
  return client.operate("max", args);
}

/**
 * The smallest elements along a dimension, and their indices. The gradient goes to the first of equal ones. As
 * `torch.min`. Default: `keepdim` false.
 */
export function min(x: AnyTensor | OperandData, dim: number, keepdim?: boolean): [TensorHandle, TensorHandle];
/**
 * The smallest elements along a dimension, and their indices. The gradient goes to the first of equal ones. As
 * `torch.min`. Default: `keepdim` false.
 */
export function min(x: AnyTensor | OperandData, options: { readonly dim: number; readonly keepdim?: boolean }): [TensorHandle, TensorHandle];
export function min(...args: readonly unknown[]): unknown {
  return client.operate("min", args);
}

/**
 * The index of the first largest element, of all or along a dimension. As `torch.argmax`. No gradient flows.
 * Default: `keepdim` false.
 */
export function argmax(x: AnyTensor | OperandData, dim?: number | null, keepdim?: boolean): TensorHandle;
/**
 * The index of the first largest element, of all or along a dimension. As `torch.argmax`. No gradient flows.
 * Default: `keepdim` false.
 */
export function argmax(x: AnyTensor | OperandData, options: { readonly dim?: number | null; readonly keepdim?: boolean }): TensorHandle;
export function argmax(...args: readonly unknown[]): unknown {
  return client.operate("argmax", args);
}

/**
 * The index of the first smallest element, of all or along a dimension. As `torch.argmin`. No gradient flows.
 * Default: `keepdim` false.
 */
export function argmin(x: AnyTensor | OperandData, dim?: number | null, keepdim?: boolean): TensorHandle;
/**
 * The index of the first smallest element, of all or along a dimension. As `torch.argmin`. No gradient flows.
 * Default: `keepdim` false.
 */
export function argmin(x: AnyTensor | OperandData, options: { readonly dim?: number | null; readonly keepdim?: boolean }): TensorHandle;
export function argmin(...args: readonly unknown[]): unknown {
  return client.operate("argmin", args);
}

/**
 * Whether all elements differ from 0. As `torch.all`. No gradient flows. Default: `keepdim` false.
 */
export function all(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, keepdim?: boolean): TensorHandle;
/**
 * Whether all elements differ from 0. As `torch.all`. No gradient flows. Default: `keepdim` false.
 */
export function all(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): TensorHandle;
export function all(...args: readonly unknown[]): unknown {
  return client.operate("all", args);
}

/**
 * Whether one element differs from 0. As `torch.any`. No gradient flows. Default: `keepdim` false.
 */
export function any(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, keepdim?: boolean): TensorHandle;
/**
 * Whether one element differs from 0. As `torch.any`. No gradient flows. Default: `keepdim` false.
 */
export function any(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): TensorHandle;
export function any(...args: readonly unknown[]): unknown {
  return client.operate("any", args);
}

/**
 * The sum without elements that are NaN. As `torch.nansum`. Default: `keepdim` false.
 */
export function nansum(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, keepdim?: boolean): TensorHandle;
/**
 * The sum without elements that are NaN. As `torch.nansum`. Default: `keepdim` false.
 */
export function nansum(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): TensorHandle;
export function nansum(...args: readonly unknown[]): unknown {
  return client.operate("nansum", args);
}

/**
 * The mean without elements that are NaN. As `torch.nanmean`. Default: `keepdim` false.
 */
export function nanmean(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, keepdim?: boolean): TensorHandle;
/**
 * The mean without elements that are NaN. As `torch.nanmean`. Default: `keepdim` false.
 */
export function nanmean(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): TensorHandle;
export function nanmean(...args: readonly unknown[]): unknown {
  return client.operate("nanmean", args);
}

/**
 * The logarithm of the sum of exponentials. As `torch.logsumexp`. Default: `keepdim` false.
 */
export function logsumexp(x: AnyTensor | OperandData, dim: number | readonly number[], keepdim?: boolean): TensorHandle;
/**
 * The logarithm of the sum of exponentials. As `torch.logsumexp`. Default: `keepdim` false.
 */
export function logsumexp(x: AnyTensor | OperandData, options: { readonly dim: number | readonly number[]; readonly keepdim?: boolean }): TensorHandle;
export function logsumexp(...args: readonly unknown[]): unknown {
  return client.operate("logsumexp", args);
}

/**
 * Sums up to each element along a dimension. As `torch.cumsum`.
 */
export function cumsum(x: AnyTensor | OperandData, dim: number): TensorHandle;
/**
 * Sums up to each element along a dimension. As `torch.cumsum`.
 */
export function cumsum(x: AnyTensor | OperandData, options: { readonly dim: number }): TensorHandle;
export function cumsum(...args: readonly unknown[]): unknown {
  return client.operate("cumsum", args);
}

/**
 * Products up to each element along a dimension. As `torch.cumprod`.
 */
export function cumprod(x: AnyTensor | OperandData, dim: number): TensorHandle;
/**
 * Products up to each element along a dimension. As `torch.cumprod`.
 */
export function cumprod(x: AnyTensor | OperandData, options: { readonly dim: number }): TensorHandle;
export function cumprod(...args: readonly unknown[]): unknown {
  return client.operate("cumprod", args);
}
