// Tensor mathematics: linear_algebra.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * The determinants of square matrices. Native engine alone. As `torch.det`.
 */
export function det(x: AnyTensor | OperandData): TensorHandle;
export function det(...args: readonly unknown[]): unknown {
  return client.operate("det", args);
}

/**
 * The logarithms of determinants; NaN for a negative one. Native engine alone. As `torch.logdet`.
 */
export function logdet(x: AnyTensor | OperandData): TensorHandle;
export function logdet(...args: readonly unknown[]): unknown {
  return client.operate("logdet", args);
}

/**
 * The signs of determinants, and the logarithms of their absolute values. Native engine alone. As `torch.slogdet`.
 */
export function slogdet(x: AnyTensor | OperandData): [TensorHandle, TensorHandle];
export function slogdet(...args: readonly unknown[]): unknown {
  return client.operate("slogdet", args);
}

/**
 * The ranks of matrices: singular values above both tolerances count. Native engine alone. As
 * `torch.linalg.matrix_rank`. No gradient flows. Default: `hermitian` false.
 */
export function mrank(x: AnyTensor | OperandData, atol?: number | null, rtol?: number | null, hermitian?: boolean): TensorHandle;
/**
 * The ranks of matrices: singular values above both tolerances count. Native engine alone. As
 * `torch.linalg.matrix_rank`. No gradient flows. Default: `hermitian` false.
 */
export function mrank(x: AnyTensor | OperandData, options: { readonly atol?: number | null; readonly rtol?: number | null; readonly hermitian?: boolean }): TensorHandle;
export function mrank(...args: readonly unknown[]): unknown {
  return client.operate("mrank", args);
}

/**
 * The inverses of square matrices. Native engine alone. As `torch.linalg.inv`.
 */
export function inverse(x: AnyTensor | OperandData): TensorHandle;
export function inverse(...args: readonly unknown[]): unknown {
  return client.operate("inverse", args);
}

/**
 * The pseudo-inverses of matrices: singular values above both tolerances count. Native engine alone. As
 * `torch.linalg.pinv`. Default: `hermitian` false.
 */
export function pinverse(x: AnyTensor | OperandData, atol?: number | null, rtol?: number | null, hermitian?: boolean): TensorHandle;
/**
 * The pseudo-inverses of matrices: singular values above both tolerances count. Native engine alone. As
 * `torch.linalg.pinv`. Default: `hermitian` false.
 */
export function pinverse(x: AnyTensor | OperandData, options: { readonly atol?: number | null; readonly rtol?: number | null; readonly hermitian?: boolean }): TensorHandle;
export function pinverse(...args: readonly unknown[]): unknown {
  return client.operate("pinverse", args);
}

/**
 * z of x z = y, for square matrices x and vectors or matrices y. Native engine alone. As `torch.linalg.solve`.
 */
export function solve(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function solve(...args: readonly unknown[]): unknown {
  return client.operate("solve", args);
}

/**
 * z of x z = y for triangular x, or of z x = y unless `left`. Native engine alone. As
 * `torch.linalg.solve_triangular`. Default: `left` true, `unitriangular` false.
 */
export function trisolve(x: AnyTensor | OperandData, y: AnyTensor | OperandData, upper: boolean, left?: boolean, unitriangular?: boolean): TensorHandle;
/**
 * z of x z = y for triangular x, or of z x = y unless `left`. Native engine alone. As
 * `torch.linalg.solve_triangular`. Default: `left` true, `unitriangular` false.
 */
export function trisolve(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly upper: boolean; readonly left?: boolean; readonly unitriangular?: boolean }): TensorHandle;
export function trisolve(...args: readonly unknown[]): unknown {
  return client.operate("trisolve", args);
}

/**
 * z of the least |x z - y|, the residuals, the rank of x, and no singular values. Native engine alone. As
 * `torch.linalg.lstsq`.
 */
export function lstsq(x: AnyTensor | OperandData, y: AnyTensor | OperandData, rcond?: number | null): [TensorHandle, TensorHandle, TensorHandle, TensorHandle];
/**
 * z of the least |x z - y|, the residuals, the rank of x, and no singular values. Native engine alone. As
 * `torch.linalg.lstsq`.
 */
export function lstsq(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly rcond?: number | null }): [TensorHandle, TensorHandle, TensorHandle, TensorHandle];
export function lstsq(...args: readonly unknown[]): unknown {
  return client.operate("lstsq", args);
}

/**
 * The Cholesky factors of symmetric positive-definite matrices. Native engine alone. As `torch.linalg.cholesky`.
 * Default: `upper` false.
 */
export function chol(x: AnyTensor | OperandData, upper?: boolean): TensorHandle;
/**
 * The Cholesky factors of symmetric positive-definite matrices. Native engine alone. As `torch.linalg.cholesky`.
 * Default: `upper` false.
 */
export function chol(x: AnyTensor | OperandData, options: { readonly upper?: boolean }): TensorHandle;
export function chol(...args: readonly unknown[]): unknown {
  return client.operate("chol", args);
}

/**
 * The Cholesky factors, and 0 or the order of the first minor that is not positive; with `check` an error. Native
 * engine alone. As `torch.linalg.cholesky_ex`. Default: `upper` false, `check` false.
 */
export function cholx(x: AnyTensor | OperandData, upper?: boolean, check?: boolean): [TensorHandle, TensorHandle];
/**
 * The Cholesky factors, and 0 or the order of the first minor that is not positive; with `check` an error. Native
 * engine alone. As `torch.linalg.cholesky_ex`. Default: `upper` false, `check` false.
 */
export function cholx(x: AnyTensor | OperandData, options: { readonly upper?: boolean; readonly check?: boolean }): [TensorHandle, TensorHandle];
export function cholx(...args: readonly unknown[]): unknown {
  return client.operate("cholx", args);
}

/**
 * The inverses of matrices by their Cholesky factors. Native engine alone. As `torch.cholesky_inverse`. Default:
 * `upper` false.
 */
export function cholinverse(x: AnyTensor | OperandData, upper?: boolean): TensorHandle;
/**
 * The inverses of matrices by their Cholesky factors. Native engine alone. As `torch.cholesky_inverse`. Default:
 * `upper` false.
 */
export function cholinverse(x: AnyTensor | OperandData, options: { readonly upper?: boolean }): TensorHandle;
export function cholinverse(...args: readonly unknown[]): unknown {
  return client.operate("cholinverse", args);
}

/**
 * z of x z = y, for matrices x with the Cholesky factors given second. Native engine alone. As
 * `torch.cholesky_solve`. Default: `upper` false.
 */
export function cholsolve(y: AnyTensor | OperandData, x: AnyTensor | OperandData, upper?: boolean): TensorHandle;
/**
 * z of x z = y, for matrices x with the Cholesky factors given second. Native engine alone. As
 * `torch.cholesky_solve`. Default: `upper` false.
 */
export function cholsolve(y: AnyTensor | OperandData, x: AnyTensor | OperandData, options: { readonly upper?: boolean }): TensorHandle;
export function cholsolve(...args: readonly unknown[]): unknown {
  return client.operate("cholsolve", args);
}

/**
 * L and U in one matrix, and the pivots, counted from 1. Native engine alone. As `torch.linalg.lu_factor`. Default:
 * `pivot` true.
 */
export function lu(x: AnyTensor | OperandData, pivot?: boolean): [TensorHandle, TensorHandle];
/**
 * L and U in one matrix, and the pivots, counted from 1. Native engine alone. As `torch.linalg.lu_factor`. Default:
 * `pivot` true.
 */
export function lu(x: AnyTensor | OperandData, options: { readonly pivot?: boolean }): [TensorHandle, TensorHandle];
export function lu(...args: readonly unknown[]): unknown {
  return client.operate("lu", args);
}

/**
 * As `lu`, and 0 or the number of the first pivot that is 0. With `check`, one such pivot is an error. Native engine
 * alone. As `torch.linalg.lu_factor_ex`. Default: `pivot` true, `check` false.
 */
export function lux(x: AnyTensor | OperandData, pivot?: boolean, check?: boolean): [TensorHandle, TensorHandle, TensorHandle];
/**
 * As `lu`, and 0 or the number of the first pivot that is 0. With `check`, one such pivot is an error. Native engine
 * alone. As `torch.linalg.lu_factor_ex`. Default: `pivot` true, `check` false.
 */
export function lux(x: AnyTensor | OperandData, options: { readonly pivot?: boolean; readonly check?: boolean }): [TensorHandle, TensorHandle, TensorHandle];
export function lux(...args: readonly unknown[]): unknown {
  return client.operate("lux", args);
}

/**
 * The permutation and the factors L and U of the results of `lu`. Native engine alone. As `torch.lu_unpack`.
 * Default: `dataflag` true, `pivotflag` true.
 */
export function lun(x: AnyTensor | OperandData, y: AnyTensor | OperandData, dataflag?: boolean, pivotflag?: boolean): [TensorHandle, TensorHandle, TensorHandle];
/**
 * The permutation and the factors L and U of the results of `lu`. Native engine alone. As `torch.lu_unpack`.
 * Default: `dataflag` true, `pivotflag` true.
 */
export function lun(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly dataflag?: boolean; readonly pivotflag?: boolean }): [TensorHandle, TensorHandle, TensorHandle];
export function lun(...args: readonly unknown[]): unknown {
  return client.operate("lun", args);
}

/**
 * w of x w = y, for matrices whose results of `lu` are given second and third. Native engine alone. As
 * `torch.lu_solve`.
 */
export function lusolve(y: AnyTensor | OperandData, x: AnyTensor | OperandData, z: AnyTensor | OperandData): TensorHandle;
export function lusolve(...args: readonly unknown[]): unknown {
  return client.operate("lusolve", args);
}

/**
 * Orthogonal Q and upper triangular R, reduced unless `complete`. Native engine alone. As `torch.linalg.qr`.
 * Default: `complete` false.
 */
export function qr(x: AnyTensor | OperandData, complete?: boolean): [TensorHandle, TensorHandle];
/**
 * Orthogonal Q and upper triangular R, reduced unless `complete`. Native engine alone. As `torch.linalg.qr`.
 * Default: `complete` false.
 */
export function qr(x: AnyTensor | OperandData, options: { readonly complete?: boolean }): [TensorHandle, TensorHandle];
export function qr(...args: readonly unknown[]): unknown {
  return client.operate("qr", args);
}

/**
 * The first columns of products of Householder matrices, by reflectors `[*, m, n]` and factors `[*, k]`. Native
 * engine alone. As `torch.linalg.householder_product`.
 */
export function householder(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function householder(...args: readonly unknown[]): unknown {
  return client.operate("householder", args);
}

/**
 * U, singular values, and V transposed. Gradients flow with `full` false. Native engine alone. As
 * `torch.linalg.svd`. Default: `full` true.
 */
export function svd(x: AnyTensor | OperandData, full?: boolean): [TensorHandle, TensorHandle, TensorHandle];
/**
 * U, singular values, and V transposed. Gradients flow with `full` false. Native engine alone. As
 * `torch.linalg.svd`. Default: `full` true.
 */
export function svd(x: AnyTensor | OperandData, options: { readonly full?: boolean }): [TensorHandle, TensorHandle, TensorHandle];
export function svd(...args: readonly unknown[]): unknown {
  return client.operate("svd", args);
}

/**
 * The singular values of matrices, the largest first. Native engine alone. As `torch.linalg.svdvals`.
 */
export function svdvals(x: AnyTensor | OperandData): TensorHandle;
export function svdvals(...args: readonly unknown[]): unknown {
  return client.operate("svdvals", args);
}

/**
 * Eigenvalues and eigenvectors of symmetric matrices, of which one triangle is read. Native engine alone. As
 * `torch.linalg.eigh`. Default: `upper` false.
 */
export function eigh(x: AnyTensor | OperandData, upper?: boolean): [TensorHandle, TensorHandle];
/**
 * Eigenvalues and eigenvectors of symmetric matrices, of which one triangle is read. Native engine alone. As
 * `torch.linalg.eigh`. Default: `upper` false.
 */
export function eigh(x: AnyTensor | OperandData, options: { readonly upper?: boolean }): [TensorHandle, TensorHandle];
export function eigh(...args: readonly unknown[]): unknown {
  return client.operate("eigh", args);
}

/**
 * Eigenvalues of symmetric matrices, of which one triangle is read. Native engine alone. As `torch.linalg.eigvalsh`.
 * Default: `upper` false.
 */
export function eigvalsh(x: AnyTensor | OperandData, upper?: boolean): TensorHandle;
/**
 * Eigenvalues of symmetric matrices, of which one triangle is read. Native engine alone. As `torch.linalg.eigvalsh`.
 * Default: `upper` false.
 */
export function eigvalsh(x: AnyTensor | OperandData, options: { readonly upper?: boolean }): TensorHandle;
export function eigvalsh(...args: readonly unknown[]): unknown {
  return client.operate("eigvalsh", args);
}

/**
 * Powers of square matrices. A negative one is of the inverse, which the native engine alone has. As
 * `torch.linalg.matrix_power`.
 */
export function power(x: AnyTensor | OperandData, n: number): TensorHandle;
/**
 * Powers of square matrices. A negative one is of the inverse, which the native engine alone has. As
 * `torch.linalg.matrix_power`.
 */
export function power(x: AnyTensor | OperandData, options: { readonly n: number }): TensorHandle;
export function power(...args: readonly unknown[]): unknown {
  return client.operate("power", args);
}

/**
 * The Frobenius norm over two dimensions, by default the last two. As `torch.linalg.matrix_norm`. Default: `keepdim`
 * false.
 */
export function fnorm(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, keepdim?: boolean): TensorHandle;
/**
 * The Frobenius norm over two dimensions, by default the last two. As `torch.linalg.matrix_norm`. Default: `keepdim`
 * false.
 */
export function fnorm(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): TensorHandle;
export function fnorm(...args: readonly unknown[]): unknown {
  return client.operate("fnorm", args);
}

/**
 * The sum of the singular values over two dimensions, by default the last two. Native engine alone. As
 * `torch.nuclear_norm`. Default: `keepdim` false.
 */
export function nnorm(x: AnyTensor | OperandData, dim?: number | readonly number[] | null, keepdim?: boolean): TensorHandle;
/**
 * The sum of the singular values over two dimensions, by default the last two. Native engine alone. As
 * `torch.nuclear_norm`. Default: `keepdim` false.
 */
export function nnorm(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): TensorHandle;
export function nnorm(...args: readonly unknown[]): unknown {
  return client.operate("nnorm", args);
}

/**
 * The norm of order 1, 2, infinity or a negative one over two dimensions, by default the last. Order 2 is native
 * alone. As `torch.linalg.matrix_norm`. Default: `ord` 2, `keepdim` false.
 */
export function mnorm(x: AnyTensor | OperandData, ord?: number, dim?: number | readonly number[] | null, keepdim?: boolean): TensorHandle;
/**
 * The norm of order 1, 2, infinity or a negative one over two dimensions, by default the last. Order 2 is native
 * alone. As `torch.linalg.matrix_norm`. Default: `ord` 2, `keepdim` false.
 */
export function mnorm(x: AnyTensor | OperandData, options: { readonly ord?: number; readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): TensorHandle;
export function mnorm(...args: readonly unknown[]): unknown {
  return client.operate("mnorm", args);
}
