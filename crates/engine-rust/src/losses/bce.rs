//! Binary cross entropy of a probability and a target probability. Logarithms are clamped to at least -100, as in PyTorch, so that
//! the loss is finite.

use crate::elements::element::Real;
use crate::losses::pointwise::PointwiseLoss;

const MIN_LOGARITHM: f64 = -100.0;
/// The minimum of x (1 - x) in the gradient, so that it is finite. Rounded to f32 for doubles too, as in PyTorch.
const MIN_VARIANCE: f32 = 1e-12;

fn logarithms<T: Real>(x: T) -> (T, T) {
    let least = T::from_f64(MIN_LOGARITHM);
    (x.ln().clamp_min(least), (-x).ln_1p().clamp_min(least))
}

pub(crate) fn functions<T: Real>() -> PointwiseLoss<T> {
    PointwiseLoss {
        value: |x, y, _| {
            let (ln, ln_rest) = logarithms(x);
            (y - T::ONE) * ln_rest - y * ln
        },
        input_derivative: |x, y, _| (x - y) / ((T::ONE - x) * x).clamp_min(T::from_f64(MIN_VARIANCE.into())),
        target_derivative: |x, _, _| {
            let (ln, ln_rest) = logarithms(x);
            ln_rest - ln
        },
    }
}
