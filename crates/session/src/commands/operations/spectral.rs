//! Windows and frequencies of spectra, without complex numbers.

use std::f64::consts::PI;

use stepwell_optim::Result;

use crate::commands::operations::context::Context;
use crate::commands::operations::creation::listed;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::commands::operations::shape::rolled;
use crate::engine::Engine;
use crate::mathematics::tensor_math::TensorMath;

operations! { E,
    /// The triangular window of Bartlett. A periodic window is the first part of a symmetric one with one more number.
    "bartlett" as "bartlett_window" (length: Whole, periodic: Flag = true, dtype: Dtype = null) no_gradient 1 =>
        |cx, given| window(cx, given, 2, [0.0; 2], |x, _| 1.0 - (2.0 * x - 1.0).abs());
    /// The window of Blackman. A periodic window is the first part of a symmetric one with one more number.
    "blackman" as "blackman_window" (length: Whole, periodic: Flag = true, dtype: Dtype = null) no_gradient 1 =>
        |cx, given| window(cx, given, 2, [0.0; 2], |x, _| {
            0.42 - 0.5 * libm::cos(2.0 * PI * x) + 0.08 * libm::cos(4.0 * PI * x)
        });
    /// The window of Hann. A periodic window is the first part of a symmetric one with one more number.
    "hann" as "hann_window" (length: Whole, periodic: Flag = true, dtype: Dtype = null) no_gradient 1 =>
        |cx, given| window(cx, given, 2, [0.5; 2], cosine);
    /// The window alpha - beta cos of Hamming. A periodic window is the first part of a symmetric one with one more number.
    "hamming" as "hamming_window"
        (length: Whole, periodic: Flag = true, alpha: Number = 0.54, beta: Number = 0.46, dtype: Dtype = null) no_gradient 1 =>
        |cx, given| window(cx, given, 4, [given.number(2)?, given.number(3)?], cosine);
    /// The window of Kaiser. A periodic window is the first part of a symmetric one with one more number.
    "kaiser" as "kaiser_window" (length: Whole, periodic: Flag = true, beta: Number = 12.0, dtype: Dtype = null) no_gradient 1 =>
        |cx, given| window(cx, given, 3, [given.number(2)?, 0.0], |x, [beta, _]| {
            bessel(beta * (1.0 - (2.0 * x - 1.0).powi(2)).max(0.0).sqrt()) / bessel(beta)
        });
    /// The frequencies of a Fourier transform of `length` samples at distances of `scale`: first those from 0, then negative ones.
    "fftfreq" as "fft.fftfreq" (length: Whole, scale: Number = 1.0, dtype: Dtype = null) no_gradient 1 => |cx, given| {
        let (length, scale) = (given.size(0)?, given.number(1)?);
        listed(cx, &[length], given.dtype(2), &|i| {
            let place = if i < length.div_ceil(2) { i as f64 } else { i as f64 - length as f64 };
            place / (length as f64 * scale)
        })
    };
    /// The frequencies from 0 of a Fourier transform of `length` real samples at distances of `scale`.
    "rfftfreq" as "fft.rfftfreq" (length: Whole, scale: Number = 1.0, dtype: Dtype = null) no_gradient 1 => |cx, given| {
        let (length, scale) = (given.size(0)?, given.number(1)?);
        listed(cx, &[length / 2 + 1], given.dtype(2), &|i| i as f64 / (length as f64 * scale))
    };
    /// Frequencies moved so that 0 is in the middle, along all dimensions or the given ones.
    "fftshift" as "fft.fftshift" (x: Tensor, dim: Dims = null) gradient 1 => |cx, given| shifted(cx, given, |size| size / 2);
    /// The inverse of `fftshift`.
    "ifftshift" as "fft.ifftshift" (x: Tensor, dim: Dims = null) gradient 1 =>
        |cx, given| shifted(cx, given, |size| size.div_ceil(2));
}

fn cosine(x: f64, [alpha, beta]: [f64; 2]) -> f64 {
    alpha - beta * libm::cos(2.0 * PI * x)
}

/// The modified Bessel function of order 0, by its power series.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * f64::EPSILON {
        term *= (x / (2.0 * k)) * (x / (2.0 * k));
        sum += term;
        k += 1.0;
    }
    sum
}

/// A window of the length in argument 0, periodic by argument 1. The function takes the place of a number, from 0 to 1.
fn window<E: Engine>(
    cx: &Context<'_, E>,
    given: &Given<E>,
    dtype: usize,
    numbers: [f64; 2],
    of: fn(f64, [f64; 2]) -> f64,
) -> Result<Output<E>> {
    let length = given.size(0)?;
    let intervals = if given.flag(1) { length } else { length.saturating_sub(1) } as f64;
    listed(cx, &[length], given.dtype(dtype), &|i| if length == 1 { 1.0 } else { of(i as f64 / intervals, numbers) })
}

fn shifted<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, by: fn(usize) -> usize) -> Result<Output<E>> {
    let mut x = cx.tensor(given.operand(0)?)?;
    let shape = cx.engine.shape(&x)?;
    for dim in cx.engine.dims(&x, given.list(1))? {
        x = rolled(cx, &x, dim, by(shape[dim]) as i64)?;
    }
    Ok(Output::One(x))
}
