//! The cross entropy of the sigmoid of a number with the probability that is right.

use crate::elements::element::Real;
use crate::losses::pointwise::PointwiseLoss;
use crate::operations::activations::sigmoid;

pub(crate) fn functions<T: Real>() -> PointwiseLoss<T> {
    PointwiseLoss {
        value: |x, y, _| {
            // log(sigmoid(x)), so that no exponential overflows.
            let least = if x < T::ZERO { x } else { T::ZERO };
            let ln_sigmoid = least - (-x.abs()).exp().ln_1p();
            (T::ONE - y) * x - ln_sigmoid
        },
        input_derivative: |x, y, _| sigmoid(x) - y,
        target_derivative: |x, _, _| -x,
    }
}
