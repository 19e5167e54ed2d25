//! Binary cross entropy of the sigmoid of a logit and a target probability.

use crate::elements::element::Real;
use crate::losses::pointwise::PointwiseLoss;
use crate::operations::activations::sigmoid;

pub(crate) fn functions<T: Real>() -> PointwiseLoss<T> {
    PointwiseLoss {
        value: |x, y, _| {
            // log(sigmoid(x)) as min(x, 0) - log(1 + exp(-|x|)), in which no exponential overflows.
            let negative_part = if x < T::ZERO { x } else { T::ZERO };
            let ln_sigmoid = negative_part - (-x.abs()).exp().ln_1p();
            (T::ONE - y) * x - ln_sigmoid
        },
        input_derivative: |x, y, _| sigmoid(x) - y,
        target_derivative: |x, _, _| -x,
    }
}
