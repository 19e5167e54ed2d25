// Tensor mathematics: spectral.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { Dtype } from "../../types/arguments.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * The triangular window of Bartlett. A periodic window is the first part of a symmetric one with one more number. As
 * `torch.bartlett_window`. No gradient flows. Default: `periodic` true.
 */
export function bartlett(length: number, periodic?: boolean, dtype?: Dtype | null): TensorHandle;
/**
 * The triangular window of Bartlett. A periodic window is the first part of a symmetric one with one more number. As
 * `torch.bartlett_window`. No gradient flows. Default: `periodic` true.
 */
export function bartlett(options: { readonly length: number; readonly periodic?: boolean; readonly dtype?: Dtype | null }): TensorHandle;
export function bartlett(...args: readonly unknown[]): unknown {
  return client.operate("bartlett", args);
}

/**
 * The window of Blackman. A periodic window is the first part of a symmetric one with one more number. As
 * `torch.blackman_window`. No gradient flows. Default: `periodic` true.
 */
export function blackman(length: number, periodic?: boolean, dtype?: Dtype | null): TensorHandle;
/**
 * The window of Blackman. A periodic window is the first part of a symmetric one with one more number. As
 * `torch.blackman_window`. No gradient flows. Default: `periodic` true.
 */
export function blackman(options: { readonly length: number; readonly periodic?: boolean; readonly dtype?: Dtype | null }): TensorHandle;
export function blackman(...args: readonly unknown[]): unknown {
  return client.operate("blackman", args);
}

/**
 * The window of Hann. A periodic window is the first part of a symmetric one with one more number. As
 * `torch.hann_window`. No gradient flows. Default: `periodic` true.
 */
export function hann(length: number, periodic?: boolean, dtype?: Dtype | null): TensorHandle;
/**
 * The window of Hann. A periodic window is the first part of a symmetric one with one more number. As
 * `torch.hann_window`. No gradient flows. Default: `periodic` true.
 */
export function hann(options: { readonly length: number; readonly periodic?: boolean; readonly dtype?: Dtype | null }): TensorHandle;
export function hann(...args: readonly unknown[]): unknown {
  return client.operate("hann", args);
}

/**
 * The window alpha - beta cos of Hamming. A periodic window is the first part of a symmetric one with one more
 * number. As `torch.hamming_window`. No gradient flows. Default: `periodic` true, `alpha` 0.54, `beta` 0.46.
 */
export function hamming(length: number, periodic?: boolean, alpha?: number, beta?: number, dtype?: Dtype | null): TensorHandle;
/**
 * The window alpha - beta cos of Hamming. A periodic window is the first part of a symmetric one with one more
 * number. As `torch.hamming_window`. No gradient flows. Default: `periodic` true, `alpha` 0.54, `beta` 0.46.
 */
export function hamming(options: { readonly length: number; readonly periodic?: boolean; readonly alpha?: number; readonly beta?: number; readonly dtype?: Dtype | null }): TensorHandle;
export function hamming(...args: readonly unknown[]): unknown {
  return client.operate("hamming", args);
}

/**
 * The window of Kaiser. A periodic window is the first part of a symmetric one with one more number. As
 * `torch.kaiser_window`. No gradient flows. Default: `periodic` true, `beta` 12.
 */
export function kaiser(length: number, periodic?: boolean, beta?: number, dtype?: Dtype | null): TensorHandle;
/**
 * The window of Kaiser. A periodic window is the first part of a symmetric one with one more number. As
 * `torch.kaiser_window`. No gradient flows. Default: `periodic` true, `beta` 12.
 */
export function kaiser(options: { readonly length: number; readonly periodic?: boolean; readonly beta?: number; readonly dtype?: Dtype | null }): TensorHandle;
export function kaiser(...args: readonly unknown[]): unknown {
  return client.operate("kaiser", args);
}

/**
 * The frequencies of a Fourier transform of `length` samples at distances of `scale`: first those from 0, then
 * negative ones. As `torch.fft.fftfreq`. No gradient flows. Default: `scale` 1.
 */
export function fftfreq(length: number, scale?: number, dtype?: Dtype | null): TensorHandle;
/**
 * The frequencies of a Fourier transform of `length` samples at distances of `scale`: first those from 0, then
 * negative ones. As `torch.fft.fftfreq`. No gradient flows. Default: `scale` 1.
 */
export function fftfreq(options: { readonly length: number; readonly scale?: number; readonly dtype?: Dtype | null }): TensorHandle;
export function fftfreq(...args: readonly unknown[]): unknown {
  return client.operate("fftfreq", args);
}

/**
 * The frequencies from 0 of a Fourier transform of `length` real samples at distances of `scale`. As
 * `torch.fft.rfftfreq`. No gradient flows. Default: `scale` 1.
 */
export function rfftfreq(length: number, scale?: number, dtype?: Dtype | null): TensorHandle;
/**
 * The frequencies from 0 of a Fourier transform of `length` real samples at distances of `scale`. As
 * `torch.fft.rfftfreq`. No gradient flows. Default: `scale` 1.
 */
export function rfftfreq(options: { readonly length: number; readonly scale?: number; readonly dtype?: Dtype | null }): TensorHandle;
export function rfftfreq(...args: readonly unknown[]): unknown {
  return client.operate("rfftfreq", args);
}

/**
 * Frequencies moved so that 0 is in the middle, along all dimensions or the given ones. As `torch.fft.fftshift`.
 */
export function fftshift(x: AnyTensor | OperandData, dim?: number | readonly number[] | null): TensorHandle;
/**
 * Frequencies moved so that 0 is in the middle, along all dimensions or the given ones. As `torch.fft.fftshift`.
 */
export function fftshift(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null }): TensorHandle;
export function fftshift(...args: readonly unknown[]): unknown {
  return client.operate("fftshift", args);
}

/**
 * The inverse of `fftshift`. As `torch.fft.ifftshift`.
 */
export function ifftshift(x: AnyTensor | OperandData, dim?: number | readonly number[] | null): TensorHandle;
/**
 * The inverse of `fftshift`. As `torch.fft.ifftshift`.
 */
export function ifftshift(x: AnyTensor | OperandData, options: { readonly dim?: number | readonly number[] | null }): TensorHandle;
export function ifftshift(...args: readonly unknown[]): unknown {
  return client.operate("ifftshift", args);
}
