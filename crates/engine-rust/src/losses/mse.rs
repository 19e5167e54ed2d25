//! Squared error.

use crate::elements::element::Real;
use crate::losses::pointwise::PointwiseLoss;

pub(crate) fn functions<T: Real>() -> PointwiseLoss<T> {
    PointwiseLoss {
        value: |x, y, _| (x - y) * (x - y),
        input_derivative: |x, y, _| T::from_f64(2.0) * (x - y),
        target_derivative: |x, y, _| T::from_f64(2.0) * (y - x),
    }
}
