//! The L-BFGS state of parameters of which some are frozen: their elements of each vector are 0.

use std::ops::Range;

use stepwell_optim::fallible::{filled, push, with_capacity};
use stepwell_optim::{AnyLbfgsStateDict, LbfgsState, LbfgsStateDict, Result, Results, Scalar};

use crate::engine::Engine;
use crate::training::bound_optimizer::BoundOptimizer;

impl<E: Engine> BoundOptimizer<E> {
    /// Stores the state of a step, and which parameters were trained.
    pub(crate) fn set_lbfgs_state(&mut self, lbfgs_state: LbfgsState, trained: Vec<bool>) {
        self.optimizer.set_lbfgs_state(lbfgs_state);
        self.trained_for_state = Some(trained);
    }

    /// For each parameter, whether it is trained now.
    pub(crate) fn trained(&self, engine: &E) -> Vec<bool> {
        self.tensors().iter().map(|tensor| engine.requires_grad(tensor)).collect()
    }

    /// True if the same parameters were trained when the state was made. Otherwise the state does not describe the curvature
    /// of the loss, and a step begins anew.
    pub(crate) fn lbfgs_state_is_current(&self, trained: &[bool]) -> bool {
        self.trained_for_state.as_ref().is_none_or(|before| before == trained)
    }
}

/// Ranges of the elements of trained parameters in the vector of all parameters.
pub(crate) struct TrainedRanges {
    trained: Vec<Range<usize>>,
    width: usize,
}

impl TrainedRanges {
    pub(crate) fn new<E: Engine>(engine: &E, tensors: &[E::Tensor], trained: &[bool]) -> Result<Self> {
        let mut ranges = Self { trained: Vec::new(), width: 0 };
        for (tensor, trained) in tensors.iter().zip(trained) {
            let start = ranges.width;
            ranges.width += engine.shape(tensor)?.iter().product::<usize>();
            if *trained {
                push(&mut ranges.trained, start..ranges.width)?;
            }
        }
        Ok(ranges)
    }

    /// The state of the trained parameters alone.
    pub(crate) fn narrowed(&self, state: AnyLbfgsStateDict) -> Result<AnyLbfgsStateDict> {
        Ok(match state {
            AnyLbfgsStateDict::Float(state) => AnyLbfgsStateDict::Float(self.each(state, Self::narrow)?),
            AnyLbfgsStateDict::Double(state) => AnyLbfgsStateDict::Double(self.each(state, Self::narrow)?),
        })
    }

    /// The state of all parameters, from the state of the trained ones.
    pub(crate) fn widened(&self, state: AnyLbfgsStateDict) -> Result<AnyLbfgsStateDict> {
        Ok(match state {
            AnyLbfgsStateDict::Float(state) => AnyLbfgsStateDict::Float(self.each(state, Self::widen)?),
            AnyLbfgsStateDict::Double(state) => AnyLbfgsStateDict::Double(self.each(state, Self::widen)?),
        })
    }

    fn each<T>(
        &self,
        state: LbfgsStateDict<T>,
        change: fn(&Self, Vec<T>) -> Result<Vec<T>>,
    ) -> Result<LbfgsStateDict<T>> {
        let rows = |rows: Vec<Vec<T>>| rows.into_iter().map(|row| change(self, row)).values();
        Ok(LbfgsStateDict {
            d: change(self, state.d)?,
            prev_flat_grad: change(self, state.prev_flat_grad)?,
            old_dirs: rows(state.old_dirs)?,
            old_stps: rows(state.old_stps)?,
            ..state
        })
    }

    /// An empty vector stands for a vector that does not exist.
    fn narrow<T: Scalar>(&self, all: Vec<T>) -> Result<Vec<T>> {
        if all.len() != self.width {
            return Ok(all);
        }
        let mut trained = with_capacity(self.trained.iter().map(Range::len).sum())?;
        self.trained.iter().for_each(|range| trained.extend_from_slice(&all[range.clone()]));
        Ok(trained)
    }

    fn widen<T: Scalar>(&self, trained: Vec<T>) -> Result<Vec<T>> {
        if trained.is_empty() {
            return Ok(trained);
        }
        let mut all = filled(self.width, T::default())?;
        let mut rest = &trained[..];
        for range in &self.trained {
            let (piece, after) = rest.split_at(range.len().min(rest.len()));
            all[range.start..range.start + piece.len()].copy_from_slice(piece);
            rest = after;
        }
        Ok(all)
    }
}
