// Tensor mathematics: matrix.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor, AnyVector } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * The product of matrices `[*, m, k]` and `[*, k, n]`; leading dimensions broadcast, and vectors are rows or
 * columns. As `torch.matmul`.
 */
export function matmul(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function matmul(...args: readonly unknown[]): unknown {
  return client.operate("matmul", args);
}

/**
 * The product of two matrices. As `torch.mm`.
 */
export function mm(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function mm(...args: readonly unknown[]): unknown {
  return client.operate("mm", args);
}

/**
 * The product of a matrix and a vector. As `torch.mv`.
 */
export function mv(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function mv(...args: readonly unknown[]): unknown {
  return client.operate("mv", args);
}

/**
 * The products of two lists of matrices, `[b, m, k]` and `[b, k, n]`. As `torch.bmm`.
 */
export function bmm(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function bmm(...args: readonly unknown[]): unknown {
  return client.operate("bmm", args);
}

/**
 * The sum of the products of two vectors. As `torch.dot`.
 */
export function dot(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function dot(...args: readonly unknown[]): unknown {
  return client.operate("dot", args);
}

/**
 * The products of every element of x and every element of y, `[n, m]`. As `torch.outer`.
 */
export function outer(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function outer(...args: readonly unknown[]): unknown {
  return client.operate("outer", args);
}

/**
 * x times y transposed.
 */
export function mmt(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function mmt(...args: readonly unknown[]): unknown {
  return client.operate("mmt", args);
}

/**
 * x transposed times y.
 */
export function mtm(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function mtm(...args: readonly unknown[]): unknown {
  return client.operate("mtm", args);
}

/**
 * beta z + alpha x y, of matrices x and y. As `torch.addmm`. Default: `beta` 1, `alpha` 1.
 */
export function addmm(z: AnyTensor | OperandData, x: AnyTensor | OperandData, y: AnyTensor | OperandData, beta?: number, alpha?: number): TensorHandle;
/**
 * beta z + alpha x y, of matrices x and y. As `torch.addmm`. Default: `beta` 1, `alpha` 1.
 */
export function addmm(z: AnyTensor | OperandData, x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly beta?: number; readonly alpha?: number }): TensorHandle;
export function addmm(...args: readonly unknown[]): unknown {
  return client.operate("addmm", args);
}

/**
 * beta z + alpha x y, of a matrix x and a vector y. As `torch.addmv`. Default: `beta` 1, `alpha` 1.
 */
export function addmv(z: AnyTensor | OperandData, x: AnyTensor | OperandData, y: AnyTensor | OperandData, beta?: number, alpha?: number): TensorHandle;
/**
 * beta z + alpha x y, of a matrix x and a vector y. As `torch.addmv`. Default: `beta` 1, `alpha` 1.
 */
export function addmv(z: AnyTensor | OperandData, x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly beta?: number; readonly alpha?: number }): TensorHandle;
export function addmv(...args: readonly unknown[]): unknown {
  return client.operate("addmv", args);
}

/**
 * beta z + alpha x y, of lists of matrices x and y. As `torch.baddbmm`. Default: `beta` 1, `alpha` 1.
 */
export function baddbmm(z: AnyTensor | OperandData, x: AnyTensor | OperandData, y: AnyTensor | OperandData, beta?: number, alpha?: number): TensorHandle;
/**
 * beta z + alpha x y, of lists of matrices x and y. As `torch.baddbmm`. Default: `beta` 1, `alpha` 1.
 */
export function baddbmm(z: AnyTensor | OperandData, x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly beta?: number; readonly alpha?: number }): TensorHandle;
export function baddbmm(...args: readonly unknown[]): unknown {
  return client.operate("baddbmm", args);
}

/**
 * beta z + alpha times the sum of the products of lists of matrices x and y. As `torch.addbmm`. Default: `beta` 1,
 * `alpha` 1.
 */
export function addbmm(z: AnyTensor | OperandData, x: AnyTensor | OperandData, y: AnyTensor | OperandData, beta?: number, alpha?: number): TensorHandle;
/**
 * beta z + alpha times the sum of the products of lists of matrices x and y. As `torch.addbmm`. Default: `beta` 1,
 * `alpha` 1.
 */
export function addbmm(z: AnyTensor | OperandData, x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly beta?: number; readonly alpha?: number }): TensorHandle;
export function addbmm(...args: readonly unknown[]): unknown {
  return client.operate("addbmm", args);
}

/**
 * beta z + alpha times the products of every element of x and every element of y. As `torch.addr`. Default: `beta`
 * 1, `alpha` 1.
 */
export function addr(z: AnyTensor | OperandData, x: AnyTensor | OperandData, y: AnyTensor | OperandData, beta?: number, alpha?: number): TensorHandle;
/**
 * beta z + alpha times the products of every element of x and every element of y. As `torch.addr`. Default: `beta`
 * 1, `alpha` 1.
 */
export function addr(z: AnyTensor | OperandData, x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly beta?: number; readonly alpha?: number }): TensorHandle;
export function addr(...args: readonly unknown[]): unknown {
  return client.operate("addr", args);
}

/**
 * The product of matrices in the order with the fewest multiplications. The first may be a row, and the last a
 * column. As `torch.linalg.multi_dot`.
 */
export function multidot(tensors: AnyVector | readonly (AnyTensor | OperandData)[]): TensorHandle;
export function multidot(...args: readonly unknown[]): unknown {
  return client.operate("multidot", args);
}

/**
 * Sums of products over dimensions `dim1` of x and `dim2` of y; without `dim2` over the last `dim1` of x and the
 * first of y. As `torch.tensordot`. Default: `dim1` 2.
 */
export function tensordot(x: AnyTensor | OperandData, y: AnyTensor | OperandData, dim1?: number | readonly number[], dim2?: number | readonly number[] | null): TensorHandle;
/**
 * Sums of products over dimensions `dim1` of x and `dim2` of y; without `dim2` over the last `dim1` of x and the
 * first of y. As `torch.tensordot`. Default: `dim1` 2.
 */
export function tensordot(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly dim1?: number | readonly number[]; readonly dim2?: number | readonly number[] | null }): TensorHandle;
export function tensordot(...args: readonly unknown[]): unknown {
  return client.operate("tensordot", args);
}

/**
 * The cross products of vectors of 3 elements along a dimension. As `torch.linalg.cross`. Default: `dim` -1.
 */
export function cross(x: AnyTensor | OperandData, y: AnyTensor | OperandData, dim?: number): TensorHandle;
/**
 * The cross products of vectors of 3 elements along a dimension. As `torch.linalg.cross`. Default: `dim` -1.
 */
export function cross(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly dim?: number }): TensorHandle;
export function cross(...args: readonly unknown[]): unknown {
  return client.operate("cross", args);
}

/**
 * Inputs `[*, i]` and `[*, j]` with a weight `[o, i, j]` and a bias `[o]`: `[*, o]`, linear in each input. As
 * `torch.nn.functional.bilinear`.
 */
export function bilinear(x: AnyTensor | OperandData, y: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null): TensorHandle;
/**
 * Inputs `[*, i]` and `[*, j]` with a weight `[o, i, j]` and a bias `[o]`: `[*, o]`, linear in each input. As
 * `torch.nn.functional.bilinear`.
 */
export function bilinear(x: AnyTensor | OperandData, y: AnyTensor | OperandData, weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null }): TensorHandle;
export function bilinear(...args: readonly unknown[]): unknown {
  return client.operate("bilinear", args);
}

/**
 * x `[*, in]` times a weight `[out, in]` transposed, plus a bias `[out]`. As `torch.nn.functional.linear`.
 */
export function linear(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null): TensorHandle;
/**
 * x `[*, in]` times a weight `[out, in]` transposed, plus a bias `[out]`. As `torch.nn.functional.linear`.
 */
export function linear(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null }): TensorHandle;
export function linear(...args: readonly unknown[]): unknown {
  return client.operate("linear", args);
}

/**
 * The sum of the diagonal of a matrix. As `torch.trace`.
 */
export function trace(x: AnyTensor | OperandData): TensorHandle;
export function trace(...args: readonly unknown[]): unknown {
  return client.operate("trace", args);
}
