//! The size of the difference, quadratic below `beta`.

use super::elementwise::Elementwise;
use crate::element::Real;

#[derive(Clone, Copy)]
pub(crate) struct SmoothL1 {
    pub(crate) beta: f64,
}

impl Elementwise for SmoothL1 {
    #[inline(always)]
    fn value<T: Real>(self, x: T, y: T) -> T {
        let (size, half, beta) = ((x - y).abs(), T::from_f64(0.5), T::from_f64(self.beta));
        if size < beta { half * size * size / beta } else { size - half * beta }
    }

    #[inline(always)]
    fn slope<T: Real>(self, x: T, y: T) -> T {
        let (difference, beta) = (x - y, T::from_f64(self.beta));
        if difference <= -beta {
            -T::ONE
        } else if difference >= beta {
            T::ONE
        } else {
            difference / beta
        }
    }

    #[inline(always)]
    fn target_slope<T: Real>(self, x: T, y: T) -> T {
        -self.slope(x, y)
    }
}
