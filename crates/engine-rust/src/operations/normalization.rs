//! Batch and layer normalization: one element, and the saved tensors of the backward pass.

use stepwell_optim::Result;

use crate::autograd::backward::BackwardContext;
use crate::elements::element::Real;

/// Indices of the inputs.
const INPUT: usize = 0;
pub(crate) const WEIGHT: usize = 1;
pub(crate) const BIAS: usize = 2;
/// The index of the statistics among the saved tensors, which follow input and weight.
const STATISTICS: usize = 2;

/// The saved tensors that the backward pass reads.
pub(crate) struct Saved<'a, T> {
    pub(crate) x: &'a [T],
    pub(crate) weight: Option<&'a [T]>,
    /// Mean and 1 / √(variance + eps) of each channel or row, one pair after the other.
    pub(crate) statistics: &'a [f64],
}

impl<'a, T: Real> Saved<'a, T> {
    pub(crate) fn of(context: &'a BackwardContext<'_>) -> Result<Self> {
        Ok(Self {
            x: context.saved(INPUT)?,
            weight: context.optional_saved(WEIGHT)?,
            statistics: context.saved(STATISTICS)?,
        })
    }
}

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
