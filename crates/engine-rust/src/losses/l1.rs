//! The size of the difference.

use super::elementwise::Elementwise;
use crate::element::Real;

#[derive(Clone, Copy)]
pub(crate) struct L1;

impl Elementwise for L1 {
    const OF_DIFFERENCE: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, x: T, y: T) -> T {
        (x - y).abs()
    }

    #[inline(always)]
    fn slope<T: Real>(self, x: T, y: T) -> T {
        let difference = x - y;
        if difference > T::ZERO {
            T::ONE
        } else if difference < T::ZERO {
            -T::ONE
        } else {
            T::ZERO
        }
    }

    #[inline(always)]
    fn target_slope<T: Real>(self, x: T, y: T) -> T {
        -self.slope(x, y)
    }
}
