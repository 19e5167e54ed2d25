// Tensor mathematics: convolution.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * The convolution of sequences `[n, in, l]` with a weight `[out, in / groups, k]`, plus a bias `[out]`. As
 * `torch.conv1d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
 */
export function conv1d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null, stride?: number | readonly number[], pad?: number | readonly number[], dilate?: number | readonly number[], groups?: number): TensorHandle;
/**
 * The convolution of sequences `[n, in, l]` with a weight `[out, in / groups, k]`, plus a bias `[out]`. As
 * `torch.conv1d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
 */
export function conv1d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias: AnyTensor | OperandData | null, options: { readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly groups?: number }): TensorHandle;
/**
 * The convolution of sequences `[n, in, l]` with a weight `[out, in / groups, k]`, plus a bias `[out]`. As
 * `torch.conv1d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
 */
export function conv1d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null; readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly groups?: number }): TensorHandle;
export function conv1d(...args: readonly unknown[]): unknown {
  return client.operate("conv1d", args);
}

/**
 * The convolution of images `[n, in, h, w]` with a weight `[out, in / groups, kh, kw]`, plus a bias `[out]`. As
 * `torch.conv2d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
 */
export function conv2d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null, stride?: number | readonly number[], pad?: number | readonly number[], dilate?: number | readonly number[], groups?: number): TensorHandle;
/**
 * The convolution of images `[n, in, h, w]` with a weight `[out, in / groups, kh, kw]`, plus a bias `[out]`. As
 * `torch.conv2d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
 */
export function conv2d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias: AnyTensor | OperandData | null, options: { readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly groups?: number }): TensorHandle;
/**
 * The convolution of images `[n, in, h, w]` with a weight `[out, in / groups, kh, kw]`, plus a bias `[out]`. As
 * `torch.conv2d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
 */
export function conv2d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null; readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly groups?: number }): TensorHandle;
export function conv2d(...args: readonly unknown[]): unknown {
  return client.operate("conv2d", args);
}

/**
 * The convolution of volumes `[n, in, d, h, w]` with a weight `[out, in / groups, kd, kh, kw]`, plus a bias `[out]`.
 * As `torch.conv3d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
 */
export function conv3d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null, stride?: number | readonly number[], pad?: number | readonly number[], dilate?: number | readonly number[], groups?: number): TensorHandle;
/**
 * The convolution of volumes `[n, in, d, h, w]` with a weight `[out, in / groups, kd, kh, kw]`, plus a bias `[out]`.
 * As `torch.conv3d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
 */
export function conv3d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias: AnyTensor | OperandData | null, options: { readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly groups?: number }): TensorHandle;
/**
 * The convolution of volumes `[n, in, d, h, w]` with a weight `[out, in / groups, kd, kh, kw]`, plus a bias `[out]`.
 * As `torch.conv3d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
 */
export function conv3d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null; readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly groups?: number }): TensorHandle;
export function conv3d(...args: readonly unknown[]): unknown {
  return client.operate("conv3d", args);
}

/**
 * The transposed convolution of sequences `[n, in, l]` with a weight `[in, out / groups, k]`, plus a bias `[out]`.
 * As `torch.conv_transpose1d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
 */
export function convtranspose1d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null, stride?: number | readonly number[], pad?: number | readonly number[], outpad?: number | readonly number[], groups?: number, dilate?: number | readonly number[]): TensorHandle;
/**
 * The transposed convolution of sequences `[n, in, l]` with a weight `[in, out / groups, k]`, plus a bias `[out]`.
 * As `torch.conv_transpose1d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
 */
export function convtranspose1d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias: AnyTensor | OperandData | null, options: { readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly outpad?: number | readonly number[]; readonly groups?: number; readonly dilate?: number | readonly number[] }): TensorHandle;
/**
 * The transposed convolution of sequences `[n, in, l]` with a weight `[in, out / groups, k]`, plus a bias `[out]`.
 * As `torch.conv_transpose1d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
 */
export function convtranspose1d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null; readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly outpad?: number | readonly number[]; readonly groups?: number; readonly dilate?: number | readonly number[] }): TensorHandle;
export function convtranspose1d(...args: readonly unknown[]): unknown {
  return client.operate("convtranspose1d", args);
}

/**
 * The transposed convolution of images `[n, in, h, w]` with a weight `[in, out / groups, kh, kw]`, plus a bias
 * `[out]`. As `torch.conv_transpose2d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
 */
export function convtranspose2d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null, stride?: number | readonly number[], pad?: number | readonly number[], outpad?: number | readonly number[], groups?: number, dilate?: number | readonly number[]): TensorHandle;
/**
 * The transposed convolution of images `[n, in, h, w]` with a weight `[in, out / groups, kh, kw]`, plus a bias
 * `[out]`. As `torch.conv_transpose2d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
 */
export function convtranspose2d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias: AnyTensor | OperandData | null, options: { readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly outpad?: number | readonly number[]; readonly groups?: number; readonly dilate?: number | readonly number[] }): TensorHandle;
/**
 * The transposed convolution of images `[n, in, h, w]` with a weight `[in, out / groups, kh, kw]`, plus a bias
 * `[out]`. As `torch.conv_transpose2d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
 */
export function convtranspose2d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null; readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly outpad?: number | readonly number[]; readonly groups?: number; readonly dilate?: number | readonly number[] }): TensorHandle;
export function convtranspose2d(...args: readonly unknown[]): unknown {
  return client.operate("convtranspose2d", args);
}

/**
 * The transposed convolution of volumes `[n, in, d, h, w]` with a weight `[in, out / groups, kd, kh, kw]`, plus a
 * bias. As `torch.conv_transpose3d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
 */
export function convtranspose3d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null, stride?: number | readonly number[], pad?: number | readonly number[], outpad?: number | readonly number[], groups?: number, dilate?: number | readonly number[]): TensorHandle;
/**
 * The transposed convolution of volumes `[n, in, d, h, w]` with a weight `[in, out / groups, kd, kh, kw]`, plus a
 * bias. As `torch.conv_transpose3d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
 */
export function convtranspose3d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias: AnyTensor | OperandData | null, options: { readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly outpad?: number | readonly number[]; readonly groups?: number; readonly dilate?: number | readonly number[] }): TensorHandle;
/**
 * The transposed convolution of volumes `[n, in, d, h, w]` with a weight `[in, out / groups, kd, kh, kw]`, plus a
 * bias. As `torch.conv_transpose3d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
 */
export function convtranspose3d(x: AnyTensor | OperandData, weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null; readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly outpad?: number | readonly number[]; readonly groups?: number; readonly dilate?: number | readonly number[] }): TensorHandle;
export function convtranspose3d(...args: readonly unknown[]): unknown {
  return client.operate("convtranspose3d", args);
}

/**
 * The windows of images `[n, c, h, w]` as columns `[n, c * kh * kw, positions]`. As `torch.nn.functional.unfold`.
 * Default: `dilate` 1, `pad` 0, `stride` 1.
 */
export function unfold(x: AnyTensor | OperandData, size: number | readonly number[], dilate?: number | readonly number[], pad?: number | readonly number[], stride?: number | readonly number[]): TensorHandle;
/**
 * The windows of images `[n, c, h, w]` as columns `[n, c * kh * kw, positions]`. As `torch.nn.functional.unfold`.
 * Default: `dilate` 1, `pad` 0, `stride` 1.
 */
export function unfold(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly stride?: number | readonly number[] }): TensorHandle;
export function unfold(...args: readonly unknown[]): unknown {
  return client.operate("unfold", args);
}

/**
 * The sums of columns `[n, c * kh * kw, positions]` at the elements of images of size `out`: `[n, c, h, w]`. As
 * `torch.nn.functional.fold`. Default: `dilate` 1, `pad` 0, `stride` 1.
 */
export function fold(x: AnyTensor | OperandData, out: number | readonly number[], size: number | readonly number[], dilate?: number | readonly number[], pad?: number | readonly number[], stride?: number | readonly number[]): TensorHandle;
/**
 * The sums of columns `[n, c * kh * kw, positions]` at the elements of images of size `out`: `[n, c, h, w]`. As
 * `torch.nn.functional.fold`. Default: `dilate` 1, `pad` 0, `stride` 1.
 */
export function fold(x: AnyTensor | OperandData, options: { readonly out: number | readonly number[]; readonly size: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly stride?: number | readonly number[] }): TensorHandle;
export function fold(...args: readonly unknown[]): unknown {
  return client.operate("fold", args);
}

/**
 * x with elements added around the last dimensions: two amounts for each, the last dimension first; negative to
 * remove. As `torch.nn.functional.pad`. Default: `mode` constant, `value` 0.
 */
export function pad(x: AnyTensor | OperandData, pad: number | readonly number[], mode?: "constant" | "reflect" | "replicate" | "circular", value?: number): TensorHandle;
/**
 * x with elements added around the last dimensions: two amounts for each, the last dimension first; negative to
 * remove. As `torch.nn.functional.pad`. Default: `mode` constant, `value` 0.
 */
export function pad(x: AnyTensor | OperandData, options: { readonly pad: number | readonly number[]; readonly mode?: "constant" | "reflect" | "replicate" | "circular"; readonly value?: number }): TensorHandle;
export function pad(...args: readonly unknown[]): unknown {
  return client.operate("pad", args);
}

/**
 * Images `[n, c, *]` in another size: one size or scale for all dimensions, or one for each. As
 * `torch.nn.functional.interpolate`. Default: `mode` nearest.
 */
export function interpolate(x: AnyTensor | OperandData, size?: number | readonly number[] | null, scale?: number | readonly number[] | null, mode?: "nearest" | "linear" | "bilinear" | "bicubic" | "trilinear" | "area" | "nearestexact", align?: boolean | null, rescale?: boolean | null): TensorHandle;
/**
 * Images `[n, c, *]` in another size: one size or scale for all dimensions, or one for each. As
 * `torch.nn.functional.interpolate`. Default: `mode` nearest.
 */
export function interpolate(x: AnyTensor | OperandData, options: { readonly size?: number | readonly number[] | null; readonly scale?: number | readonly number[] | null; readonly mode?: "nearest" | "linear" | "bilinear" | "bicubic" | "trilinear" | "area" | "nearestexact"; readonly align?: boolean | null; readonly rescale?: boolean | null }): TensorHandle;
export function interpolate(...args: readonly unknown[]): unknown {
  return client.operate("interpolate", args);
}
