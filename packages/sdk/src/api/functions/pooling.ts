// Tensor mathematics: pooling.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * The largest element of each window of `[n, c, l]`. Stride: by default the size. As `torch.max_pool1d`. Default:
 * `pad` 0, `dilate` 1, `ceiling` false.
 */
export function maxpool1d(x: AnyTensor | OperandData, size: number | readonly number[], stride?: number | readonly number[] | null, pad?: number | readonly number[], dilate?: number | readonly number[], ceiling?: boolean): TensorHandle;
/**
 * The largest element of each window of `[n, c, l]`. Stride: by default the size. As `torch.max_pool1d`. Default:
 * `pad` 0, `dilate` 1, `ceiling` false.
 */
export function maxpool1d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly ceiling?: boolean }): TensorHandle;
export function maxpool1d(...args: readonly unknown[]): unknown {
  return client.operate("maxpool1d", args);
}

/**
 * The largest element of each window of `[n, c, h, w]`. Stride: by default the size. As `torch.max_pool2d`. Default:
 * `pad` 0, `dilate` 1, `ceiling` false.
 */
export function maxpool2d(x: AnyTensor | OperandData, size: number | readonly number[], stride?: number | readonly number[] | null, pad?: number | readonly number[], dilate?: number | readonly number[], ceiling?: boolean): TensorHandle;
/**
 * The largest element of each window of `[n, c, h, w]`. Stride: by default the size. As `torch.max_pool2d`. Default:
 * `pad` 0, `dilate` 1, `ceiling` false.
 */
export function maxpool2d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly ceiling?: boolean }): TensorHandle;
export function maxpool2d(...args: readonly unknown[]): unknown {
  return client.operate("maxpool2d", args);
}

/**
 * The largest element of each window of `[n, c, d, h, w]`. Stride: by default the size. As `torch.max_pool3d`.
 * Default: `pad` 0, `dilate` 1, `ceiling` false.
 */
export function maxpool3d(x: AnyTensor | OperandData, size: number | readonly number[], stride?: number | readonly number[] | null, pad?: number | readonly number[], dilate?: number | readonly number[], ceiling?: boolean): TensorHandle;
/**
 * The largest element of each window of `[n, c, d, h, w]`. Stride: by default the size. As `torch.max_pool3d`.
 * Default: `pad` 0, `dilate` 1, `ceiling` false.
 */
export function maxpool3d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly ceiling?: boolean }): TensorHandle;
export function maxpool3d(...args: readonly unknown[]): unknown {
  return client.operate("maxpool3d", args);
}

/**
 * The mean of each window of `[n, c, l]`. Stride: by default the size. As `torch.avg_pool1d`. Default: `pad` 0,
 * `ceiling` false, `countpad` true.
 */
export function avgpool1d(x: AnyTensor | OperandData, size: number | readonly number[], stride?: number | readonly number[] | null, pad?: number | readonly number[], ceiling?: boolean, countpad?: boolean, divisor?: number | null): TensorHandle;
/**
 * The mean of each window of `[n, c, l]`. Stride: by default the size. As `torch.avg_pool1d`. Default: `pad` 0,
 * `ceiling` false, `countpad` true.
 */
export function avgpool1d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly pad?: number | readonly number[]; readonly ceiling?: boolean; readonly countpad?: boolean; readonly divisor?: number | null }): TensorHandle;
export function avgpool1d(...args: readonly unknown[]): unknown {
  return client.operate("avgpool1d", args);
}

/**
 * The mean of each window of `[n, c, h, w]`. Stride: by default the size. As `torch.nn.functional.avg_pool2d`.
 * Default: `pad` 0, `ceiling` false, `countpad` true.
 */
export function avgpool2d(x: AnyTensor | OperandData, size: number | readonly number[], stride?: number | readonly number[] | null, pad?: number | readonly number[], ceiling?: boolean, countpad?: boolean, divisor?: number | null): TensorHandle;
/**
 * The mean of each window of `[n, c, h, w]`. Stride: by default the size. As `torch.nn.functional.avg_pool2d`.
 * Default: `pad` 0, `ceiling` false, `countpad` true.
 */
export function avgpool2d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly pad?: number | readonly number[]; readonly ceiling?: boolean; readonly countpad?: boolean; readonly divisor?: number | null }): TensorHandle;
export function avgpool2d(...args: readonly unknown[]): unknown {
  return client.operate("avgpool2d", args);
}

/**
 * The mean of each window of `[n, c, d, h, w]`. Stride: by default the size. As `torch.nn.functional.avg_pool3d`.
 * Default: `pad` 0, `ceiling` false, `countpad` true.
 */
export function avgpool3d(x: AnyTensor | OperandData, size: number | readonly number[], stride?: number | readonly number[] | null, pad?: number | readonly number[], ceiling?: boolean, countpad?: boolean, divisor?: number | null): TensorHandle;
/**
 * The mean of each window of `[n, c, d, h, w]`. Stride: by default the size. As `torch.nn.functional.avg_pool3d`.
 * Default: `pad` 0, `ceiling` false, `countpad` true.
 */
export function avgpool3d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly pad?: number | readonly number[]; readonly ceiling?: boolean; readonly countpad?: boolean; readonly divisor?: number | null }): TensorHandle;
export function avgpool3d(...args: readonly unknown[]): unknown {
  return client.operate("avgpool3d", args);
}

/**
 * The largest element of each of so many parts of `[n, c, l]`. As `torch.nn.functional.adaptive_max_pool1d`.
 */
export function adaptmax1d(x: AnyTensor | OperandData, size: number | readonly number[]): TensorHandle;
/**
 * The largest element of each of so many parts of `[n, c, l]`. As `torch.nn.functional.adaptive_max_pool1d`.
 */
export function adaptmax1d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[] }): TensorHandle;
export function adaptmax1d(...args: readonly unknown[]): unknown {
  return client.operate("adaptmax1d", args);
}

/**
 * The largest element of each of so many parts of `[n, c, h, w]`. As `torch.nn.functional.adaptive_max_pool2d`.
 */
export function adaptmax2d(x: AnyTensor | OperandData, size: number | readonly number[]): TensorHandle;
/**
 * The largest element of each of so many parts of `[n, c, h, w]`. As `torch.nn.functional.adaptive_max_pool2d`.
 */
export function adaptmax2d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[] }): TensorHandle;
export function adaptmax2d(...args: readonly unknown[]): unknown {
  return client.operate("adaptmax2d", args);
}

/**
 * The largest element of each of so many parts of `[n, c, d, h, w]`. As `torch.nn.functional.adaptive_max_pool3d`.
 */
export function adaptmax3d(x: AnyTensor | OperandData, size: number | readonly number[]): TensorHandle;
/**
 * The largest element of each of so many parts of `[n, c, d, h, w]`. As `torch.nn.functional.adaptive_max_pool3d`.
 */
export function adaptmax3d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[] }): TensorHandle;
export function adaptmax3d(...args: readonly unknown[]): unknown {
  return client.operate("adaptmax3d", args);
}

/**
 * The mean of each of so many parts of `[n, c, l]`. As `torch.adaptive_avg_pool1d`.
 */
export function adaptavg1d(x: AnyTensor | OperandData, size: number | readonly number[]): TensorHandle;
/**
 * The mean of each of so many parts of `[n, c, l]`. As `torch.adaptive_avg_pool1d`.
 */
export function adaptavg1d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[] }): TensorHandle;
export function adaptavg1d(...args: readonly unknown[]): unknown {
  return client.operate("adaptavg1d", args);
}

/**
 * The mean of each of so many parts of `[n, c, h, w]`. As `torch.nn.functional.adaptive_avg_pool2d`.
 */
export function adaptavg2d(x: AnyTensor | OperandData, size: number | readonly number[]): TensorHandle;
/**
 * The mean of each of so many parts of `[n, c, h, w]`. As `torch.nn.functional.adaptive_avg_pool2d`.
 */
export function adaptavg2d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[] }): TensorHandle;
export function adaptavg2d(...args: readonly unknown[]): unknown {
  return client.operate("adaptavg2d", args);
}

/**
 * The mean of each of so many parts of `[n, c, d, h, w]`. As `torch.nn.functional.adaptive_avg_pool3d`.
 */
export function adaptavg3d(x: AnyTensor | OperandData, size: number | readonly number[]): TensorHandle;
/**
 * The mean of each of so many parts of `[n, c, d, h, w]`. As `torch.nn.functional.adaptive_avg_pool3d`.
 */
export function adaptavg3d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[] }): TensorHandle;
export function adaptavg3d(...args: readonly unknown[]): unknown {
  return client.operate("adaptavg3d", args);
}

/**
 * The norm of order p of each window of `[n, c, l]`. Stride: by default the size. As
 * `torch.nn.functional.lp_pool1d`. Default: `ceiling` false.
 */
export function lppool1d(x: AnyTensor | OperandData, p: number, size: number | readonly number[], stride?: number | readonly number[] | null, ceiling?: boolean): TensorHandle;
/**
 * The norm of order p of each window of `[n, c, l]`. Stride: by default the size. As
 * `torch.nn.functional.lp_pool1d`. Default: `ceiling` false.
 */
export function lppool1d(x: AnyTensor | OperandData, options: { readonly p: number; readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly ceiling?: boolean }): TensorHandle;
export function lppool1d(...args: readonly unknown[]): unknown {
  return client.operate("lppool1d", args);
}

/**
 * The norm of order p of each window of `[n, c, h, w]`. Stride: by default the size. As
 * `torch.nn.functional.lp_pool2d`. Default: `ceiling` false.
 */
export function lppool2d(x: AnyTensor | OperandData, p: number, size: number | readonly number[], stride?: number | readonly number[] | null, ceiling?: boolean): TensorHandle;
/**
 * The norm of order p of each window of `[n, c, h, w]`. Stride: by default the size. As
 * `torch.nn.functional.lp_pool2d`. Default: `ceiling` false.
 */
export function lppool2d(x: AnyTensor | OperandData, options: { readonly p: number; readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly ceiling?: boolean }): TensorHandle;
export function lppool2d(...args: readonly unknown[]): unknown {
  return client.operate("lppool2d", args);
}

/**
 * The largest element of windows of images at random distances, which samples `[n, c, 2]` in [0, 1) place, else
 * random ones. As `torch.nn.functional.fractional_max_pool2d`.
 */
export function fmaxpool2d(x: AnyTensor | OperandData, size: number | readonly number[], outsize?: number | readonly number[] | null, ratio?: number | readonly number[] | null, samples?: AnyTensor | OperandData | null): TensorHandle;
/**
 * The largest element of windows of images at random distances, which samples `[n, c, 2]` in [0, 1) place, else
 * random ones. As `torch.nn.functional.fractional_max_pool2d`.
 */
export function fmaxpool2d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[]; readonly outsize?: number | readonly number[] | null; readonly ratio?: number | readonly number[] | null; readonly samples?: AnyTensor | OperandData | null }): TensorHandle;
export function fmaxpool2d(...args: readonly unknown[]): unknown {
  return client.operate("fmaxpool2d", args);
}

/**
 * The largest element of windows of volumes at random distances, which samples `[n, c, 3]` in [0, 1) place, else
 * random ones. As `torch.nn.functional.fractional_max_pool3d`.
 */
export function fmaxpool3d(x: AnyTensor | OperandData, size: number | readonly number[], outsize?: number | readonly number[] | null, ratio?: number | readonly number[] | null, samples?: AnyTensor | OperandData | null): TensorHandle;
/**
 * The largest element of windows of volumes at random distances, which samples `[n, c, 3]` in [0, 1) place, else
 * random ones. As `torch.nn.functional.fractional_max_pool3d`.
 */
export function fmaxpool3d(x: AnyTensor | OperandData, options: { readonly size: number | readonly number[]; readonly outsize?: number | readonly number[] | null; readonly ratio?: number | readonly number[] | null; readonly samples?: AnyTensor | OperandData | null }): TensorHandle;
export function fmaxpool3d(...args: readonly unknown[]): unknown {
  return client.operate("fmaxpool3d", args);
}
