// Tensor mathematics: shape.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor, AnyVector } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * The elements in another shape; one size may be -1, which is computed. As `torch.reshape`.
 */
export function reshape(x: AnyTensor | OperandData, shape: number | readonly number[]): TensorHandle;
/**
 * The elements in another shape; one size may be -1, which is computed. As `torch.reshape`.
 */
export function reshape(x: AnyTensor | OperandData, options: { readonly shape: number | readonly number[] }): TensorHandle;
export function reshape(...args: readonly unknown[]): unknown {
  return client.operate("reshape", args);
}

/**
 * Without dimensions of size 1: all of them, or the given ones. As `torch.squeeze`.
 */
export function squeeze(x: AnyTensor | OperandData, dim?: number | readonly number[] | null): TensorHandle;
/**
 * Without dimensions of size 1: all of them, or the given ones. As `torch.squeeze`.
 */
export function squeeze(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null }): TensorHandle;
export function squeeze(...args: readonly unknown[]): unknown {
  return client.operate("squeeze", args);
}

/**
 * With a new dimension of size 1. As `torch.unsqueeze`.
 */
export function unsqueeze(x: AnyTensor | OperandData, dim: number): TensorHandle;
/**
 * With a new dimension of size 1. As `torch.unsqueeze`.
 */
export function unsqueeze(x: AnyTensor | OperandData, options: { readonly dim: number }): TensorHandle;
export function unsqueeze(...args: readonly unknown[]): unknown {
  return client.operate("unsqueeze", args);
}

/**
 * Two dimensions exchanged, by default the last two. As `torch.transpose`. Default: `a` -1, `b` -2.
 */
export function transpose(x: AnyTensor | OperandData, a?: number, b?: number): TensorHandle;
/**
 * Two dimensions exchanged, by default the last two. As `torch.transpose`. Default: `a` -1, `b` -2.
 */
export function transpose(x: AnyTensor | OperandData, options: { readonly a?: number; readonly b?: number }): TensorHandle;
export function transpose(...args: readonly unknown[]): unknown {
  return client.operate("transpose", args);
}

/**
 * The dimensions in another order. As `torch.permute`.
 */
export function permute(x: AnyTensor | OperandData, dims: number | readonly number[]): TensorHandle;
/**
 * The dimensions in another order. As `torch.permute`.
 */
export function permute(x: AnyTensor | OperandData, options: { readonly dims: number | readonly number[] }): TensorHandle;
export function permute(...args: readonly unknown[]): unknown {
  return client.operate("permute", args);
}

/**
 * Dimensions of size 1 repeated; a size of -1 stays. As `torch.expand`.
 */
export function expand(x: AnyTensor | OperandData, shape: number | readonly number[]): TensorHandle;
/**
 * Dimensions of size 1 repeated; a size of -1 stays. As `torch.expand`.
 */
export function expand(x: AnyTensor | OperandData, options: { readonly shape: number | readonly number[] }): TensorHandle;
export function expand(...args: readonly unknown[]): unknown {
  return client.operate("expand", args);
}

/**
 * `length` elements along a dimension from `start`. As `torch.narrow`.
 */
export function narrow(x: AnyTensor | OperandData, dim: number, start: number, length: number): TensorHandle;
/**
 * `length` elements along a dimension from `start`. As `torch.narrow`.
 */
export function narrow(x: AnyTensor | OperandData, options: { readonly dim: number; readonly start: number; readonly length: number }): TensorHandle;
export function narrow(...args: readonly unknown[]): unknown {
  return client.operate("narrow", args);
}

/**
 * Tensors joined along a dimension. As `torch.cat`. Default: `dim` 0.
 */
export function cat(tensors: AnyVector | readonly (AnyTensor | OperandData)[], dim?: number): TensorHandle;
/**
 * Tensors joined along a dimension. As `torch.cat`. Default: `dim` 0.
 */
export function cat(tensors: AnyVector | readonly (AnyTensor | OperandData)[], options: { readonly dim?: number }): TensorHandle;
export function cat(...args: readonly unknown[]): unknown {
  return client.operate("cat", args);
}

/**
 * Tensors of one shape joined along a new dimension. As `torch.stack`. Default: `dim` 0.
 */
export function stack(tensors: AnyVector | readonly (AnyTensor | OperandData)[], dim?: number): TensorHandle;
/**
 * Tensors of one shape joined along a new dimension. As `torch.stack`. Default: `dim` 0.
 */
export function stack(tensors: AnyVector | readonly (AnyTensor | OperandData)[], options: { readonly dim?: number }): TensorHandle;
export function stack(...args: readonly unknown[]): unknown {
  return client.operate("stack", args);
}

/**
 * Reversed along dimensions. As `torch.flip`.
 */
export function flip(x: AnyTensor | OperandData, dims: number | readonly number[]): TensorHandle;
/**
 * Reversed along dimensions. As `torch.flip`.
 */
export function flip(x: AnyTensor | OperandData, options: { readonly dims: number | readonly number[] }): TensorHandle;
export function flip(...args: readonly unknown[]): unknown {
  return client.operate("flip", args);
}

/**
 * Elements moved along a dimension; the last ones come first. As `torch.roll`.
 */
export function roll(x: AnyTensor | OperandData, shift: number, dim: number): TensorHandle;
/**
 * Elements moved along a dimension; the last ones come first. As `torch.roll`.
 */
export function roll(x: AnyTensor | OperandData, options: { readonly shift: number; readonly dim: number }): TensorHandle;
export function roll(...args: readonly unknown[]): unknown {
  return client.operate("roll", args);
}

/**
 * Dimensions from the first to the last joined to one. As `torch.flatten`. Default: `first` 0, `last` -1.
 */
export function flatten(x: AnyTensor | OperandData, first?: number, last?: number): TensorHandle;
/**
 * Dimensions from the first to the last joined to one. As `torch.flatten`. Default: `first` 0, `last` -1.
 */
export function flatten(x: AnyTensor | OperandData, options: { readonly first?: number; readonly last?: number }): TensorHandle;
export function flatten(...args: readonly unknown[]): unknown {
  return client.operate("flatten", args);
}

/**
 * The lower triangle of matrices, up to a diagonal; 0 elsewhere. As `torch.tril`. Default: `diagonal` 0.
 */
export function tril(x: AnyTensor | OperandData, diagonal?: number): TensorHandle;
/**
 * The lower triangle of matrices, up to a diagonal; 0 elsewhere. As `torch.tril`. Default: `diagonal` 0.
 */
export function tril(x: AnyTensor | OperandData, options: { readonly diagonal?: number }): TensorHandle;
export function tril(...args: readonly unknown[]): unknown {
  return client.operate("tril", args);
}

/**
 * The upper triangle of matrices, from a diagonal; 0 elsewhere. As `torch.triu`. Default: `diagonal` 0.
 */
export function triu(x: AnyTensor | OperandData, diagonal?: number): TensorHandle;
/**
 * The upper triangle of matrices, from a diagonal; 0 elsewhere. As `torch.triu`. Default: `diagonal` 0.
 */
export function triu(x: AnyTensor | OperandData, options: { readonly diagonal?: number }): TensorHandle;
export function triu(...args: readonly unknown[]): unknown {
  return client.operate("triu", args);
}

/**
 * A copy cut off from the graph. As `torch.detach`. No gradient flows.
 */
export function detach(x: AnyTensor | OperandData): TensorHandle;
export function detach(...args: readonly unknown[]): unknown {
  return client.operate("detach", args);
}
