// Tensor mathematics: counting.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * The most frequent elements along a dimension, and their last indices. The smallest one of several is taken. As
 * `torch.mode`. Default: `dim` -1, `keepdim` false.
 */
export function mode(x: AnyTensor | OperandData, dim?: number, keepdim?: boolean): [TensorHandle, TensorHandle];
/**
 * The most frequent elements along a dimension, and their last indices. The smallest one of several is taken. As
 * `torch.mode`. Default: `dim` -1, `keepdim` false.
 */
export function mode(x: AnyTensor | OperandData, options: { readonly dim?: number; readonly keepdim?: boolean }): [TensorHandle, TensorHandle];
export function mode(...args: readonly unknown[]): unknown {
  return client.operate("mode", args);
}

/**
 * The different elements in ascending order, the index of each element of x among them, and how often each occurs.
 * As `torch.unique`. No gradient flows.
 */
export function unique(x: AnyTensor | OperandData): [TensorHandle, TensorHandle, TensorHandle];
export function unique(...args: readonly unknown[]): unknown {
  return client.operate("unique", args);
}

/**
 * Elements that differ from the one before, the index of each element of x among them, and how often each is
 * repeated. As `torch.unique_consecutive`. No gradient flows.
 */
export function uniquec(x: AnyTensor | OperandData): [TensorHandle, TensorHandle, TensorHandle];
export function uniquec(...args: readonly unknown[]): unknown {
  return client.operate("uniquec", args);
}

/**
 * How often each whole number from 0 occurs, or the sum of its weights; at least `bins` counts. As `torch.bincount`.
 * No gradient flows. Default: `bins` 0.
 */
export function bincount(x: AnyTensor | OperandData, weight?: AnyTensor | OperandData | null, bins?: number): TensorHandle;
/**
 * How often each whole number from 0 occurs, or the sum of its weights; at least `bins` counts. As `torch.bincount`.
 * No gradient flows. Default: `bins` 0.
 */
export function bincount(x: AnyTensor | OperandData, weight: AnyTensor | OperandData | null, options: { readonly bins?: number }): TensorHandle;
/**
 * How often each whole number from 0 occurs, or the sum of its weights; at least `bins` counts. As `torch.bincount`.
 * No gradient flows. Default: `bins` 0.
 */
export function bincount(x: AnyTensor | OperandData, options: { readonly weight?: AnyTensor | OperandData | null; readonly bins?: number }): TensorHandle;
export function bincount(...args: readonly unknown[]): unknown {
  return client.operate("bincount", args);
}

/**
 * How many elements are in each of `bins` intervals from `low` to `high`; if these are equal, from the least to the
 * largest. As `torch.histc`. No gradient flows. Default: `bins` 100, `low` 0, `high` 0.
 */
export function histc(x: AnyTensor | OperandData, bins?: number, low?: number, high?: number): TensorHandle;
/**
 * How many elements are in each of `bins` intervals from `low` to `high`; if these are equal, from the least to the
 * largest. As `torch.histc`. No gradient flows. Default: `bins` 100, `low` 0, `high` 0.
 */
export function histc(x: AnyTensor | OperandData, options: { readonly bins?: number; readonly low?: number; readonly high?: number }): TensorHandle;
export function histc(...args: readonly unknown[]): unknown {
  return client.operate("histc", args);
}
