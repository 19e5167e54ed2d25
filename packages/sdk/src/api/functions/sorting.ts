// Tensor mathematics: sorting.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * Elements sorted along a dimension, and their indices. As `torch.sort`. Default: `dim` -1, `descending` false.
 */
export function sort(x: AnyTensor | OperandData, dim?: number, descending?: boolean): [TensorHandle, TensorHandle];
/**
 * Elements sorted along a dimension, and their indices. As `torch.sort`. Default: `dim` -1, `descending` false.
 */
export function sort(x: AnyTensor | OperandData, options: { readonly dim?: number; readonly descending?: boolean }): [TensorHandle, TensorHandle];
export function sort(...args: readonly unknown[]): unknown {
  return client.operate("sort", args);
}

/**
 * The indices that sort a tensor along a dimension. As `torch.argsort`. No gradient flows. Default: `dim` -1,
 * `descending` false.
 */
export function argsort(x: AnyTensor | OperandData, dim?: number, descending?: boolean): TensorHandle;
/**
 * The indices that sort a tensor along a dimension. As `torch.argsort`. No gradient flows. Default: `dim` -1,
 * `descending` false.
 */
export function argsort(x: AnyTensor | OperandData, options: { readonly dim?: number; readonly descending?: boolean }): TensorHandle;
export function argsort(...args: readonly unknown[]): unknown {
  return client.operate("argsort", args);
}

/**
 * Elements sorted along the first dimension. As `torch.msort`.
 */
export function msort(x: AnyTensor | OperandData): TensorHandle;
export function msort(...args: readonly unknown[]): unknown {
  return client.operate("msort", args);
}

/**
 * The k largest elements along a dimension in order, or the k smallest, and their indices. As `torch.topk`. Default:
 * `dim` -1, `largest` true.
 */
export function topk(x: AnyTensor | OperandData, k: number, dim?: number, largest?: boolean): [TensorHandle, TensorHandle];
/**
 * The k largest elements along a dimension in order, or the k smallest, and their indices. As `torch.topk`. Default:
 * `dim` -1, `largest` true.
 */
export function topk(x: AnyTensor | OperandData, options: { readonly k: number; readonly dim?: number; readonly largest?: boolean }): [TensorHandle, TensorHandle];
export function topk(...args: readonly unknown[]): unknown {
  return client.operate("topk", args);
}

/**
 * The k-th smallest elements along a dimension, counted from 1, and their indices. As `torch.kthvalue`. Default:
 * `dim` -1, `keepdim` false.
 */
export function kthvalue(x: AnyTensor | OperandData, k: number, dim?: number, keepdim?: boolean): [TensorHandle, TensorHandle];
/**
 * The k-th smallest elements along a dimension, counted from 1, and their indices. As `torch.kthvalue`. Default:
 * `dim` -1, `keepdim` false.
 */
export function kthvalue(x: AnyTensor | OperandData, options: { readonly k: number; readonly dim?: number; readonly keepdim?: boolean }): [TensorHandle, TensorHandle];
export function kthvalue(...args: readonly unknown[]): unknown {
  return client.operate("kthvalue", args);
}

/**
 * The medians along a dimension, and their indices: the lower one of two. With NaN, NaN is the median. As
 * `torch.median`. Default: `dim` -1, `keepdim` false.
 */
export function median(x: AnyTensor | OperandData, dim?: number, keepdim?: boolean): [TensorHandle, TensorHandle];
/**
 * The medians along a dimension, and their indices: the lower one of two. With NaN, NaN is the median. As
 * `torch.median`. Default: `dim` -1, `keepdim` false.
 */
export function median(x: AnyTensor | OperandData, options: { readonly dim?: number; readonly keepdim?: boolean }): [TensorHandle, TensorHandle];
export function median(...args: readonly unknown[]): unknown {
  return client.operate("median", args);
}

/**
 * As `median`, without elements that are NaN. As `torch.nanmedian`. Default: `dim` -1, `keepdim` false.
 */
export function nanmedian(x: AnyTensor | OperandData, dim?: number, keepdim?: boolean): [TensorHandle, TensorHandle];
/**
 * As `median`, without elements that are NaN. As `torch.nanmedian`. Default: `dim` -1, `keepdim` false.
 */
export function nanmedian(x: AnyTensor | OperandData, options: { readonly dim?: number; readonly keepdim?: boolean }): [TensorHandle, TensorHandle];
export function nanmedian(...args: readonly unknown[]): unknown {
  return client.operate("nanmedian", args);
}
