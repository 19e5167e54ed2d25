//! Numbers seen from their mean.

use crate::elements::element::Real;

/// `(x - mean) * scale + shift`, in the type of the numbers and with all digits of a mean in f64. Numbers that are all the
/// mean give the shift to the bit: `x * scale - mean * scale` would leave the rounding errors of two large products.
#[derive(Clone, Copy)]
pub(crate) struct Normalized<T> {
    /// The mean, rounded.
    center: T,
    scale: T,
    /// With what rounding took from the mean.
    shift: T,
}

impl<T: Real> Normalized<T> {
    pub(crate) fn new(mean: f64, scale: f64, shift: f64) -> Self {
        let center = T::from_f64(mean);
        let shift = T::from_f64(shift + (center.to_f64() - mean) * scale);
        Self { center, scale: T::from_f64(scale), shift }
    }

    #[inline(always)]
    pub(crate) fn of(self, x: T) -> T {
        (x - self.center) * self.scale + self.shift
    }
}
