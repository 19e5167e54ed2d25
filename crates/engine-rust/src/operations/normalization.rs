//! Normalization of one element.

use crate::elements::element::Real;

/// `(x - mean) * scale + shift` in the type of the elements, for a mean in f64.
///
/// Elements that equal the mean give exactly `shift`: `x * scale - mean * scale` would leave the rounding errors of two large
/// products.
#[derive(Clone, Copy)]
pub(crate) struct Normalized<T> {
    /// The mean, rounded to `T`.
    center: T,
    scale: T,
    /// Includes the correction for the rounding of the mean.
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
