//! The square of the difference.

use crate::elements::element::Real;
use crate::losses::pointwise::Elementwise;

pub(crate) fn functions<T: Real>() -> Elementwise<T> {
    Elementwise {
        value: |x, y, _| (x - y) * (x - y),
        slope: |x, y, _| T::from_f64(2.0) * (x - y),
        target_slope: |x, y, _| T::from_f64(2.0) * (y - x),
    }
}
