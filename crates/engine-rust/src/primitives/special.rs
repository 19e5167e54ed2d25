//! Functions that the library of elementary functions lacks.

use std::f64::consts::{FRAC_2_SQRT_PI, PI};

/// The inverse of the error function: the approximation of Winitzki 2008, "A handy approximation for the error function and its
/// inverse", and steps of Halley's method. The steps use erfc beyond 1/2, so that numbers near ±1 lose no digits.
pub(crate) fn erfinv(y: f64) -> f64 {
    let size = y.abs();
    if size >= 1.0 || y.is_nan() || y == 0.0 {
        return match size {
            0.0 => y,
            1.0 => f64::INFINITY.copysign(y),
            _ => f64::NAN,
        };
    }
    let a = 0.147;
    let l = libm::log1p(-y * y);
    let b = 2.0 / (PI * a) + 0.5 * l;
    // The difference of two close numbers, as a quotient.
    let c = l / a;
    let mut x = (-c / ((b * b - c).sqrt() + b)).sqrt();
    for _ in 0..3 {
        let error = if size > 0.5 { (1.0 - size) - libm::erfc(x) } else { libm::erf(x) - size };
        let step = error / (FRAC_2_SQRT_PI * (-x * x).exp());
        x -= step / (1.0 + x * step);
    }
    x.copysign(y)
}

/// The derivative of log gamma, as PyTorch calculates it: the reflection formula for negative numbers, recurrence up to 10,
/// and the asymptotic series, Abramowitz and Stegun 1964, 6.3.18.
pub(crate) fn digamma(x: f64) -> f64 {
    /// The Bernoulli numbers B(2k) / 2k.
    const SERIES: [f64; 7] =
        [1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32760.0, 1.0 / 12.0];
    if x == 0.0 {
        return f64::INFINITY.copysign(-x);
    }
    if x < 0.0 {
        if x == x.trunc() {
            return f64::NAN;
        }
        return digamma_positive(1.0 - x, &SERIES) - PI / libm::tan(PI * x.fract());
    }
    digamma_positive(x, &SERIES)
}

fn digamma_positive(mut x: f64, series: &[f64]) -> f64 {
    let mut sum = 0.0;
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let tail = series.iter().rev().fold(0.0, |tail, term| (tail + term) * square);
    sum + libm::log(x) - 0.5 / x - tail
}

/// The derivative of digamma, as PyTorch calculates it: reflection below 1/2, six steps of recurrence, and three terms of the
/// asymptotic series, Abramowitz and Stegun 1964, 6.4.12. Its relative error is up to 1e-9.
pub(crate) fn trigamma(x: f64) -> f64 {
    if x < 0.5 {
        let sine = (PI * x).sin();
        return (PI * PI) / (sine * sine) - trigamma_positive(1.0 - x);
    }
    trigamma_positive(x)
}

fn trigamma_positive(mut x: f64) -> f64 {
    let mut sum = 0.0;
    for _ in 0..6 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = square * (1.0 / 6.0 - square * (1.0 / 30.0 - square * (1.0 / 42.0)));
    sum + (1.0 + 1.0 / (2.0 * x) + series) / x
}
