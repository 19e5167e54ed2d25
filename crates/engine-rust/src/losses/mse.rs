//! The square of the difference.

use super::elementwise::Elementwise;
use crate::element::Real;

#[derive(Clone, Copy)]
pub(crate) struct Mse;

impl Elementwise for Mse {
    #[inline(always)]
    fn value<T: Real>(self, x: T, y: T) -> T {
        (x - y) * (x - y)
    }

    #[inline(always)]
    fn slope<T: Real>(self, x: T, y: T) -> T {
        T::from_f64(2.0) * (x - y)
    }

    #[inline(always)]
    fn target_slope<T: Real>(self, x: T, y: T) -> T {
        self.slope(y, x)
    }
}
