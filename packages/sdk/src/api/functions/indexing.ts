// Tensor mathematics: indexing.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * Elements along a dimension at indices `[n]`. As `torch.index_select`.
 */
export function indexselect(x: AnyTensor | OperandData, dim: number, indices: AnyTensor | OperandData): TensorHandle;
/**
 * Elements along a dimension at indices `[n]`. As `torch.index_select`.
 */
export function indexselect(x: AnyTensor | OperandData, options: { readonly dim: number; readonly indices: AnyTensor | OperandData }): TensorHandle;
export function indexselect(...args: readonly unknown[]): unknown {
  return client.operate("indexselect", args);
}

/**
 * The part of a tensor at one index of a dimension, without that dimension. As `torch.select`.
 */
export function select(x: AnyTensor | OperandData, dim: number, index: number): TensorHandle;
/**
 * The part of a tensor at one index of a dimension, without that dimension. As `torch.select`.
 */
export function select(x: AnyTensor | OperandData, options: { readonly dim: number; readonly index: number }): TensorHandle;
export function select(...args: readonly unknown[]): unknown {
  return client.operate("select", args);
}

/**
 * The part at one index of a dimension, as `select`, or at several, as `indexselect`; negative ones count from the
 * last. As `torch.index_select`.
 */
export function index(x: AnyTensor | OperandData, dim: number, indices: AnyTensor | OperandData): TensorHandle;
/**
 * The part at one index of a dimension, as `select`, or at several, as `indexselect`; negative ones count from the
 * last. As `torch.index_select`.
 */
export function index(x: AnyTensor | OperandData, options: { readonly dim: number; readonly indices: AnyTensor | OperandData }): TensorHandle;
export function index(...args: readonly unknown[]): unknown {
  return client.operate("index", args);
}

/**
 * At each position of the indices, the element with that index along a dimension. As `torch.gather`.
 */
export function gather(x: AnyTensor | OperandData, dim: number, indices: AnyTensor | OperandData): TensorHandle;
/**
 * At each position of the indices, the element with that index along a dimension. As `torch.gather`.
 */
export function gather(x: AnyTensor | OperandData, options: { readonly dim: number; readonly indices: AnyTensor | OperandData }): TensorHandle;
export function gather(...args: readonly unknown[]): unknown {
  return client.operate("gather", args);
}

/**
 * x with each element of the source added at its index along a dimension. As `torch.scatter_add`.
 */
export function scatteradd(x: AnyTensor | OperandData, dim: number, indices: AnyTensor | OperandData, source: AnyTensor | OperandData): TensorHandle;
/**
 * x with each element of the source added at its index along a dimension. As `torch.scatter_add`.
 */
export function scatteradd(x: AnyTensor | OperandData, options: { readonly dim: number; readonly indices: AnyTensor | OperandData; readonly source: AnyTensor | OperandData }): TensorHandle;
export function scatteradd(...args: readonly unknown[]): unknown {
  return client.operate("scatteradd", args);
}

/**
 * A value where the mask is true, else elements of x. As `torch.masked_fill`.
 */
export function maskedfill(x: AnyTensor | OperandData, mask: AnyTensor | OperandData, value: number): TensorHandle;
/**
 * A value where the mask is true, else elements of x. As `torch.masked_fill`.
 */
export function maskedfill(x: AnyTensor | OperandData, mask: AnyTensor | OperandData, options: { readonly value: number }): TensorHandle;
export function maskedfill(...args: readonly unknown[]): unknown {
  return client.operate("maskedfill", args);
}

/**
 * Classes `[*]`, from 0 to n - 1, as rows `[*, n]` of zeros with a 1, of dtype long. As
 * `torch.nn.functional.one_hot`. No gradient flows.
 */
export function onehot(x: AnyTensor | OperandData, n: number): TensorHandle;
/**
 * Classes `[*]`, from 0 to n - 1, as rows `[*, n]` of zeros with a 1, of dtype long. As
 * `torch.nn.functional.one_hot`. No gradient flows.
 */
export function onehot(x: AnyTensor | OperandData, options: { readonly n: number }): TensorHandle;
export function onehot(...args: readonly unknown[]): unknown {
  return client.operate("onehot", args);
}
