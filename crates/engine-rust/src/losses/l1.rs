//! Absolute error.

use crate::elements::element::Real;
use crate::losses::pointwise::PointwiseLoss;

pub(crate) fn functions<T: Real>() -> PointwiseLoss<T> {
    PointwiseLoss {
        value: |x, y, _| (x - y).abs(),
        input_derivative: |x, y, _| sign(x - y),
        target_derivative: |x, y, _| sign(y - x),
    }
}

/// The sign: -1, 0 or 1.
fn sign<T: Real>(x: T) -> T {
    if x > T::ZERO {
        T::ONE
    } else if x < T::ZERO {
        -T::ONE
    } else {
        T::ZERO
    }
}
