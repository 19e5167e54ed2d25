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
        let step = error / (FRAC_2_SQRT_PI * libm::exp(-x * x));
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
        let sine = libm::sin(PI * x);
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

/// The rest of a division that rounds towards 0, which is exact: it has the sign of `a`. The operator `%` gives the same, but
/// its code in WebAssembly divides numbers of 128 bits.
pub(crate) fn fmod(a: f64, b: f64) -> f64 {
    if a.is_nan() || a.is_infinite() || b.is_nan() || b == 0.0 {
        return f64::NAN;
    }
    // A mantissa and an exponent: m * 2^(e - 1075).
    let parts = |x: f64| {
        let (fraction, exponent) = (x.to_bits() & ((1 << 52) - 1), (x.to_bits() >> 52 & 0x7ff) as i32);
        if exponent == 0 { (fraction, 1) } else { (fraction | 1 << 52, exponent) }
    };
    let ((mut rest, mut above), (divisor, exponent)) = (parts(a), parts(b));
    if b.is_infinite() || above < exponent {
        return a;
    }
    rest %= divisor;
    while above > exponent {
        // 53 bits of the rest and 11 more.
        let shift = (above - exponent).min(11);
        rest = (rest << shift) % divisor;
        above -= shift;
    }
    // The power of 2 as a product of two, which are normal numbers.
    let power = exponent - 1075;
    let scale = |power: i32| f64::from_bits(((1023 + power) as u64) << 52);
    (rest as f64 * scale(power / 2) * scale(power - power / 2)).copysign(a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_division_is_the_one_of_the_operator() {
        let mut numbers =
            vec![0.0, -0.0, 1.0, -1.0, 0.1, 3.0, 5e-324, 1e-310, f64::MIN_POSITIVE, f64::MAX, f64::EPSILON];
        numbers.extend([f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e300, -2.5e-200, 9_007_199_254_740_993.0]);
        let mut state = 1u64;
        for _ in 0..400 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            numbers.extend([f64::from_bits(state), (state >> 40) as f64 / 64.0]);
        }
        for a in &numbers {
            for b in &numbers {
                let (found, expected) = (fmod(*a, *b), a % b);
                let equal = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
                assert!(equal, "{a:e} % {b:e} = {expected:e}, found {found:e}");
            }
        }
    }
}
