//! The reduction of a loss: none, mean or sum.

use stepwell_optim::{Result, Shared};
use stepwell_session::Reduction;

use crate::elements::element::Real;
use crate::memory::{CountedVec, MemoryBudget};
use crate::operations::sums::sum;

/// The losses with their shape, or their mean or sum as a scalar. `count` is the divisor of the mean.
pub(crate) fn reduce<T: Real>(
    budget: &Shared<MemoryBudget>,
    losses: CountedVec<T>,
    shape: &[usize],
    count: f64,
    reduction: Reduction,
) -> Result<(CountedVec<T>, Vec<usize>)> {
    if reduction == Reduction::None {
        return Ok((losses, shape.to_vec()));
    }
    let total = sum(&losses);
    let total = if reduction == Reduction::Mean { total / count } else { total };
    Ok((budget.filled(1, T::from_f64(total))?, Vec::new()))
}

/// The gradient of each element's loss, from the gradient of the reduced loss.
pub(crate) struct LossGradients<'a, T> {
    gradient: &'a [T],
    /// The gradient of every element, if the loss was reduced.
    all: Option<T>,
}

impl<'a, T: Real> LossGradients<'a, T> {
    pub(crate) fn new(gradient: &'a [T], count: f64, reduction: Reduction) -> Self {
        let first = gradient.first().copied().unwrap_or_default();
        let all = match reduction {
            Reduction::None => None,
            Reduction::Mean => Some(T::from_f64(first.to_f64() / count)),
            Reduction::Sum => Some(first),
        };
        Self { gradient, all }
    }

    #[inline(always)]
    pub(crate) fn of(&self, element: usize) -> T {
        match self.all {
            Some(all) => all,
            None => self.gradient[element],
        }
    }
}
