//! The size of the difference, quadratic below `beta`.

use crate::elements::element::Real;
use crate::losses::pointwise::Elementwise;

pub(crate) fn functions<T: Real>() -> Elementwise<T> {
    Elementwise {
        value: |x, y, beta| {
            let (size, half) = ((x - y).abs(), T::from_f64(0.5));
            if size < beta { half * size * size / beta } else { size - half * beta }
        },
        slope: |x, y, beta| slope(x - y, beta),
        target_slope: |x, y, beta| slope(y - x, beta),
    }
}

fn slope<T: Real>(difference: T, beta: T) -> T {
    if difference <= -beta {
        -T::ONE
    } else if difference >= beta {
        T::ONE
    } else {
        difference / beta
    }
}
