//! The history of L-BFGS: the committed variables, and the workspace of a step.
//!
//! A step writes only to its own rows and vectors. So a failed step has nothing to restore, and the closure sees the
//! committed variables.

use std::collections::VecDeque;
use std::mem::swap;

use crate::error::{Code, Error, Result};
use crate::fallible::{copied, reserve, with_capacity};
use crate::memory::no_memory;
use crate::numeric::scalar::Scalar;
use crate::optimizers::lbfgs::options::LbfgsOptions;
use crate::optimizers::lbfgs::row_pool::RowPool;
use crate::optimizers::lbfgs::state_dict::LbfgsStateDict;
use crate::options::option_type::count;

/// In pairs. Capacity is reserved for at most this many in advance.
const MAX_RESERVED_PAIRS: usize = 1024;

/// A pair of differences, y of gradients and s of parameters.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    /// Index of the row in the pool.
    pub(super) row: usize,
    /// 1 / (y · s).
    pub(super) ro: f64,
    /// The coefficient that the first loop computes for the second.
    pub(super) al: f64,
}

/// The variables of the algorithm, named as in [`LbfgsStateDict`].
#[derive(Clone, Default)]
pub(super) struct Variables<T> {
    pub(super) func_evals: u64,
    pub(super) n_iter: u64,
    pub(super) t: f64,
    pub(super) prev_loss: f64,
    pub(super) d: Vec<T>,
    pub(super) h_diag: f64,
    pub(super) prev_flat_grad: Vec<T>,
    /// Oldest first.
    pub(super) pairs: VecDeque<Pair>,
}

impl<T: Scalar> Variables<T> {
    fn reserve(&mut self, width: usize, pairs: usize) -> Result<()> {
        reserve(&mut self.d, width)?;
        reserve(&mut self.prev_flat_grad, width)?;
        reserve_pairs(&mut self.pairs, pairs)
    }

    /// Copies from other variables; the capacity was reserved.
    fn assign(&mut self, other: &Self) {
        let Self { func_evals, n_iter, t, prev_loss, d, h_diag, prev_flat_grad, pairs } = self;
        (*func_evals, *n_iter, *t) = (other.func_evals, other.n_iter, other.t);
        (*prev_loss, *h_diag) = (other.prev_loss, other.h_diag);
        d.clone_from(&other.d);
        prev_flat_grad.clone_from(&other.prev_flat_grad);
        pairs.clear();
        pairs.extend(&other.pairs);
    }
}

/// The buffers of a step. They are kept between steps, so that only the first step allocates.
#[derive(Default)]
pub(super) struct Workspace<T> {
    /// The variables so far.
    pub(super) variables: Variables<T>,
    /// The number of oldest pairs that are also pairs of the history.
    inherited: usize,
    /// The parameters of the current iteration.
    pub(super) x: Vec<T>,
    /// The parameters of a trial of the line search.
    pub(super) trial: Vec<T>,
    /// The gradients of up to three points, as the line search needs them.
    pub(super) gradients: [Vec<T>; 3],
    /// Index of the gradient at `x`.
    pub(super) current: usize,
}

impl<T: Scalar> Workspace<T> {
    /// Reserves capacity for one more pair.
    pub(super) fn reserve_pair(&mut self) -> Result<()> {
        let pairs = &mut self.variables.pairs;
        pairs.try_reserve(1).map_err(|_| no_memory(pairs.len() + 1))
    }

    /// Appends a pair, for which there is capacity, and removes the oldest beyond `max_pairs`.
    pub(super) fn push_pair(&mut self, pool: &mut RowPool<T>, pair: Option<Pair>, max_pairs: usize) {
        self.variables.pairs.extend(pair);
        while self.variables.pairs.len() > max_pairs {
            let Some(oldest) = self.variables.pairs.pop_front() else { return };
            match self.inherited.checked_sub(1) {
                // The history still uses its row.
                Some(rest) => self.inherited = rest,
                None => pool.release(oldest.row),
            }
        }
    }
}

/// The variables and rows of an L-BFGS optimizer.
pub(crate) struct History<T> {
    pub(super) pool: RowPool<T>,
    committed: Variables<T>,
    /// `None` while a step is running.
    workspace: Option<Box<Workspace<T>>>,
}

impl<T: Scalar> History<T> {
    /// The history before the first step.
    pub(crate) fn new() -> Self {
        Self { pool: RowPool::new(0, 0), committed: Variables::default(), workspace: Some(Box::default()) }
    }

    /// A history from plain data.
    ///
    /// # Errors
    /// [`Code::Format`] if vectors or lists have different lengths; [`Code::Memory`].
    pub(crate) fn from_state_dict(state_dict: LbfgsStateDict<T>) -> Result<Self> {
        let width = state_dict.d.len();
        let count = state_dict.ro.len();
        if state_dict.old_dirs.len() != count || state_dict.old_stps.len() != count {
            return Err(Error::new(Code::Format, "expected old_dirs, old_stps and ro of one length"));
        }
        let rows = state_dict.old_dirs.iter().zip(&state_dict.old_stps);
        if state_dict.prev_flat_grad.len() != width || rows.clone().any(|(y, s)| y.len() != width || s.len() != width) {
            return Err(Error::new(Code::Format, "expected vectors of one length in d, prev_flat_grad, old_dirs and old_stps"));
        }
        let mut pool = RowPool::new(width, count);
        let mut pairs = VecDeque::new();
        reserve_pairs(&mut pairs, count)?;
        for ((y, s), &ro) in rows.zip(&state_dict.ro) {
            let row = pool.allocate()?;
            let (to_y, to_s) = pool.pair_mut(row);
            to_y.copy_from_slice(y);
            to_s.copy_from_slice(s);
            pairs.push_back(Pair { row, ro, al: 0.0 });
        }
        let LbfgsStateDict { func_evals, n_iter, t, prev_loss, d, h_diag, prev_flat_grad, .. } = state_dict;
        let committed = Variables { func_evals, n_iter, t, prev_loss, d, h_diag, prev_flat_grad, pairs };
        Ok(Self { pool, committed, workspace: Some(Box::default()) })
    }

    /// A copy of the committed variables and pairs.
    ///
    /// # Errors
    /// [`Code::Memory`]
    pub(crate) fn state_dict(&self) -> Result<LbfgsStateDict<T>> {
        let Variables { func_evals, n_iter, t, prev_loss, h_diag, .. } = self.committed;
        let count = self.committed.pairs.len();
        let (mut old_dirs, mut old_stps, mut ro) = (with_capacity(count)?, with_capacity(count)?, with_capacity(count)?);
        for pair in &self.committed.pairs {
            let (y, s) = self.pool.pair(pair.row);
            old_dirs.push(copied(y)?);
            old_stps.push(copied(s)?);
            ro.push(pair.ro);
        }
        Ok(LbfgsStateDict {
            func_evals,
            n_iter,
            t,
            prev_loss,
            d: copied(&self.committed.d)?,
            h_diag,
            prev_flat_grad: copied(&self.committed.prev_flat_grad)?,
            old_dirs,
            old_stps,
            ro,
        })
    }

    /// The number of elements of a vector, and the number of pairs.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.committed.d.len(), self.committed.pairs.len())
    }

    /// True if the history is empty or its vectors have this length.
    pub(crate) fn fits(&self, width: usize) -> bool {
        self.committed.d.len() == width || (self.committed.n_iter == 0 && self.committed.pairs.is_empty())
    }

    /// True while a step is running.
    pub(crate) fn is_stepping(&self) -> bool {
        self.workspace.is_none()
    }

    /// Starts a step at `parameters`. [`History::commit`] or [`History::roll_back`] ends it.
    ///
    /// # Errors
    /// [`Code::Memory`]; no step is then running.
    pub(super) fn begin(&mut self, options: &LbfgsOptions, parameters: &[T]) -> Result<Box<Workspace<T>>> {
        let busy = || Error::new(Code::Internal, "lbfgs: a step started while another was running");
        let mut workspace = self.workspace.take().ok_or_else(busy)?;
        match self.prepare(&mut workspace, options, parameters) {
            Ok(()) => Ok(workspace),
            Err(error) => {
                self.workspace = Some(workspace);
                Err(error)
            }
        }
    }

    fn prepare(&mut self, workspace: &mut Workspace<T>, options: &LbfgsOptions, parameters: &[T]) -> Result<()> {
        let width = parameters.len();
        let (history, iter) = (count(options.history), count(options.iter));
        if self.pool.width() != width {
            // Until a step is committed, it needs rows that the history does not use. A new pair needs a row before the
            // oldest one is released.
            self.pool = RowPool::new(width, history.saturating_add(iter.min(history)).saturating_add(1));
        }
        // A restored history may have more pairs than the option asks for.
        let pairs = history.min(MAX_RESERVED_PAIRS).max(self.committed.pairs.len()) + 1;
        self.committed.reserve(width, pairs)?;
        workspace.variables.reserve(width, pairs)?;
        reserve(&mut workspace.x, width)?;
        let searches = options.search.is_some();
        for gradient in &mut workspace.gradients[..if searches { 3 } else { 1 }] {
            reserve(gradient, width)?;
            gradient.resize(width, T::default());
        }
        if searches {
            reserve(&mut workspace.trial, width)?;
            workspace.trial.resize(width, T::default());
        }
        workspace.x.clear();
        workspace.x.extend_from_slice(parameters);
        workspace.current = 0;
        workspace.variables.assign(&self.committed);
        workspace.inherited = workspace.variables.pairs.len();
        Ok(())
    }

    /// Makes the variables of a step the committed ones.
    pub(super) fn commit(&mut self, mut workspace: Box<Workspace<T>>) {
        let forgotten = self.committed.pairs.len() - workspace.inherited;
        self.committed.pairs.iter().take(forgotten).for_each(|pair| self.pool.release(pair.row));
        swap(&mut self.committed, &mut workspace.variables);
        self.workspace = Some(workspace);
    }

    /// Releases the rows of a failed step.
    pub(super) fn roll_back(&mut self, workspace: Box<Workspace<T>>) {
        workspace.variables.pairs.iter().skip(workspace.inherited).for_each(|pair| self.pool.release(pair.row));
        self.workspace = Some(workspace);
    }
}

/// Reserves capacity for `length` pairs in all.
fn reserve_pairs(pairs: &mut VecDeque<Pair>, length: usize) -> Result<()> {
    pairs.try_reserve(length.saturating_sub(pairs.len())).map_err(|_| no_memory(length))
}
