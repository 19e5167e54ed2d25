//! Smooth L1 loss, Girshick 2015, <https://arxiv.org/abs/1504.08083>: the absolute error less beta / 2, quadratic below `beta`.

use crate::elements::element::Real;
use crate::losses::pointwise::PointwiseLoss;

pub(crate) fn functions<T: Real>() -> PointwiseLoss<T> {
    PointwiseLoss {
        value: |x, y, beta| {
            let (size, half) = ((x - y).abs(), T::from_f64(0.5));
            if size < beta { half * size * size / beta } else { size - half * beta }
        },
        input_derivative: |x, y, beta| derivative(x - y, beta),
        target_derivative: |x, y, beta| derivative(y - x, beta),
    }
}

fn derivative<T: Real>(difference: T, beta: T) -> T {
    if difference <= -beta {
        -T::ONE
    } else if difference >= beta {
        T::ONE
    } else {
        difference / beta
    }
}
