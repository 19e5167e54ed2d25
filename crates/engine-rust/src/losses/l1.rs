//! The size of the difference.

use crate::elements::element::Real;
use crate::losses::pointwise::Elementwise;

pub(crate) fn functions<T: Real>() -> Elementwise<T> {
    Elementwise { value: |x, y, _| (x - y).abs(), slope: |x, y, _| sign(x - y), target_slope: |x, y, _| sign(y - x) }
}

/// -1, 0 or 1.
fn sign<T: Real>(x: T) -> T {
    if x > T::ZERO {
        T::ONE
    } else if x < T::ZERO {
        -T::ONE
    } else {
        T::ZERO
    }
}
