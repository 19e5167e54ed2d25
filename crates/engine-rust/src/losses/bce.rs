//! The cross entropy of a probability with the one that is right. Logarithms are at least -100, as in PyTorch, so that a
//! loss is finite.

use crate::elements::element::Real;
use crate::losses::pointwise::Elementwise;

const LEAST_LOGARITHM: f64 = -100.0;
/// Of x (1 - x), so that a gradient is finite. An f32 also among doubles, as in PyTorch.
const LEAST_VARIANCE: f32 = 1e-12;

fn logarithms<T: Real>(x: T) -> (T, T) {
    let least = T::from_f64(LEAST_LOGARITHM);
    (x.ln().clamp_min(least), (-x).ln_1p().clamp_min(least))
}

pub(crate) fn functions<T: Real>() -> Elementwise<T> {
    Elementwise {
        value: |x, y, _| {
            let (ln, ln_rest) = logarithms(x);
            (y - T::ONE) * ln_rest - y * ln
        },
        slope: |x, y, _| (x - y) / ((T::ONE - x) * x).clamp_min(T::from_f64(LEAST_VARIANCE.into())),
        target_slope: |x, _, _| {
            let (ln, ln_rest) = logarithms(x);
            ln_rest - ln
        },
    }
}
