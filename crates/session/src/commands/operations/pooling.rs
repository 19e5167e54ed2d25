//! The largest element, the mean, or the norm of windows.

use crate::commands::operations::convolution::layer;
use crate::commands::operations::definition::operations;

operations! { E,
    /// The largest element of each window of `[n, c, l]`. Stride: by default the size.
    "maxpool1d" as "max_pool1d" (x: Tensor, size: Sizes, stride: Sizes = null, pad: Sizes = 0.0, dilate: Sizes = 1.0,
        ceiling: Flag = false) gradient 1 => |cx, given| layer(cx, given, "maxpool1d");
    /// The largest element of each window of `[n, c, h, w]`. Stride: by default the size.
    "maxpool2d" as "max_pool2d" (x: Tensor, size: Sizes, stride: Sizes = null, pad: Sizes = 0.0, dilate: Sizes = 1.0,
        ceiling: Flag = false) gradient 1 => |cx, given| layer(cx, given, "maxpool2d");
    /// The largest element of each window of `[n, c, d, h, w]`. Stride: by default the size.
    "maxpool3d" as "max_pool3d" (x: Tensor, size: Sizes, stride: Sizes = null, pad: Sizes = 0.0, dilate: Sizes = 1.0,
        ceiling: Flag = false) gradient 1 => |cx, given| layer(cx, given, "maxpool3d");
    /// The mean of each window of `[n, c, l]`. Stride: by default the size.
    "avgpool1d" as "avg_pool1d" (x: Tensor, size: Sizes, stride: Sizes = null, pad: Sizes = 0.0, ceiling: Flag = false,
        countpad: Flag = true, divisor: Whole = null) gradient 1 => |cx, given| layer(cx, given, "avgpool1d");
    /// The mean of each window of `[n, c, h, w]`. Stride: by default the size.
    "avgpool2d" as "nn.functional.avg_pool2d" (x: Tensor, size: Sizes, stride: Sizes = null, pad: Sizes = 0.0,
        ceiling: Flag = false, countpad: Flag = true, divisor: Whole = null) gradient 1 => |cx, given| layer(cx, given, "avgpool2d");
    /// The mean of each window of `[n, c, d, h, w]`. Stride: by default the size.
    "avgpool3d" as "nn.functional.avg_pool3d" (x: Tensor, size: Sizes, stride: Sizes = null, pad: Sizes = 0.0,
        ceiling: Flag = false, countpad: Flag = true, divisor: Whole = null) gradient 1 => |cx, given| layer(cx, given, "avgpool3d");
    /// The largest element of each of so many parts of `[n, c, l]`.
    "adaptmax1d" as "nn.functional.adaptive_max_pool1d" (x: Tensor, size: Sizes) gradient 1 =>
        |cx, given| layer(cx, given, "adaptmax1d");
    /// The largest element of each of so many parts of `[n, c, h, w]`.
    "adaptmax2d" as "nn.functional.adaptive_max_pool2d" (x: Tensor, size: Sizes) gradient 1 =>
        |cx, given| layer(cx, given, "adaptmax2d");
    /// The largest element of each of so many parts of `[n, c, d, h, w]`.
    "adaptmax3d" as "nn.functional.adaptive_max_pool3d" (x: Tensor, size: Sizes) gradient 1 =>
        |cx, given| layer(cx, given, "adaptmax3d");
    /// The mean of each of so many parts of `[n, c, l]`.
    "adaptavg1d" as "adaptive_avg_pool1d" (x: Tensor, size: Sizes) gradient 1 =>
        |cx, given| layer(cx, given, "adaptavg1d");
    /// The mean of each of so many parts of `[n, c, h, w]`.
    "adaptavg2d" as "nn.functional.adaptive_avg_pool2d" (x: Tensor, size: Sizes) gradient 1 =>
        |cx, given| layer(cx, given, "adaptavg2d");
    /// The mean of each of so many parts of `[n, c, d, h, w]`.
    "adaptavg3d" as "nn.functional.adaptive_avg_pool3d" (x: Tensor, size: Sizes) gradient 1 =>
        |cx, given| layer(cx, given, "adaptavg3d");
    /// The norm of order p of each window of `[n, c, l]`. Stride: by default the size.
    "lppool1d" as "nn.functional.lp_pool1d" (x: Tensor, p: Number, size: Sizes, stride: Sizes = null, ceiling: Flag = false)
        gradient 1 => |cx, given| layer(cx, given, "lppool1d");
    /// The norm of order p of each window of `[n, c, h, w]`. Stride: by default the size.
    "lppool2d" as "nn.functional.lp_pool2d" (x: Tensor, p: Number, size: Sizes, stride: Sizes = null, ceiling: Flag = false)
        gradient 1 => |cx, given| layer(cx, given, "lppool2d");
    /// The largest element of windows of images at random distances, which samples `[n, c, 2]` in [0, 1) place, else random ones.
    "fmaxpool2d" as "nn.functional.fractional_max_pool2d" (x: Tensor, size: Sizes, outsize: Sizes = null,
        ratio: Numbers = null, samples: Tensor = null) gradient 1 => |cx, given| layer(cx, given, "fmaxpool2d");
    /// The largest element of windows of volumes at random distances, which samples `[n, c, 3]` in [0, 1) place, else random ones.
    "fmaxpool3d" as "nn.functional.fractional_max_pool3d" (x: Tensor, size: Sizes, outsize: Sizes = null,
        ratio: Numbers = null, samples: Tensor = null) gradient 1 => |cx, given| layer(cx, given, "fmaxpool3d");
}
