// Tensor mathematics: diagonal.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * The diagonals of matrices in two dimensions, as the last dimension. A positive offset is above the main diagonal.
 * As `torch.diagonal`. Default: `offset` 0, `dim1` 0, `dim2` 1.
 */
export function diagonal(x: AnyTensor | OperandData, offset?: number, dim1?: number, dim2?: number): TensorHandle;
/**
 * The diagonals of matrices in two dimensions, as the last dimension. A positive offset is above the main diagonal.
 * As `torch.diagonal`. Default: `offset` 0, `dim1` 0, `dim2` 1.
 */
export function diagonal(x: AnyTensor | OperandData, options: { readonly offset?: number; readonly dim1?: number; readonly dim2?: number }): TensorHandle;
export function diagonal(...args: readonly unknown[]): unknown {
  return client.operate("diagonal", args);
}

/**
 * The diagonal of a matrix; of a vector, the matrix with this diagonal. As `torch.diag`. Default: `offset` 0.
 */
export function diag(x: AnyTensor | OperandData, offset?: number): TensorHandle;
/**
 * The diagonal of a matrix; of a vector, the matrix with this diagonal. As `torch.diag`. Default: `offset` 0.
 */
export function diag(x: AnyTensor | OperandData, options: { readonly offset?: number }): TensorHandle;
export function diag(...args: readonly unknown[]): unknown {
  return client.operate("diag", args);
}

/**
 * The square matrix whose diagonal has the elements in row-major order. As `torch.diagflat`. Default: `offset` 0.
 */
export function diagflat(x: AnyTensor | OperandData, offset?: number): TensorHandle;
/**
 * The square matrix whose diagonal has the elements in row-major order. As `torch.diagflat`. Default: `offset` 0.
 */
export function diagflat(x: AnyTensor | OperandData, options: { readonly offset?: number }): TensorHandle;
export function diagflat(...args: readonly unknown[]): unknown {
  return client.operate("diagflat", args);
}
