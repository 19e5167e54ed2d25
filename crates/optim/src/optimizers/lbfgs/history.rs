//! What L-BFGS remembers, as it works with it: what was learned up to the last step beside what a step is learning.
//!
//! A step writes to rows and vectors of its own, so one that fails has nothing to put back, and the closure can be told
//! meanwhile what was remembered before.

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

/// The most pairs for which room is made before they come.
const EXPECTED_PAIRS: usize = 1024;

/// A pair of the history.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    /// Where the pool has it.
    pub(super) row: usize,
    /// 1 / (y · s).
    pub(super) ro: f64,
    /// The coefficient that the first loop leaves to the second.
    pub(super) al: f64,
}

/// What is remembered; the names are those of [`LbfgsStateDict`].
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

    /// There is room for everything.
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

/// What a step works with; committed from step to step, so that only the first allocates it.
#[derive(Default)]
pub(super) struct Workspace<T> {
    /// What the step has learned so far.
    pub(super) variables: Variables<T>,
    /// How many of its pairs are also those of the history. They are its oldest.
    inherited: usize,
    /// The parameters of the current iteration.
    pub(super) x: Vec<T>,
    /// Parameters that the line search tries.
    pub(super) trial: Vec<T>,
    /// Gradients: the line search has as many at a time.
    pub(super) gradients: [Vec<T>; 3],
    /// Which of them is the one at `x`.
    pub(super) current: usize,
}

impl<T: Scalar> Workspace<T> {
    /// Makes room for a pair more than there are.
    pub(super) fn reserve_pair(&mut self) -> Result<()> {
        let pairs = &mut self.variables.pairs;
        pairs.try_reserve(1).map_err(|_| no_memory(pairs.len() + 1))
    }

    /// Remembers a pair, for which there is room, and forgets the oldest beyond `most`.
    pub(super) fn push_pair(&mut self, pool: &mut RowPool<T>, pair: Option<Pair>, most: usize) {
        self.variables.pairs.extend(pair);
        while self.variables.pairs.len() > most {
            let Some(oldest) = self.variables.pairs.pop_front() else { return };
            match self.inherited.checked_sub(1) {
                // The history still has it.
                Some(rest) => self.inherited = rest,
                None => pool.release(oldest.row),
            }
        }
    }
}

/// The memory of an L-BFGS optimizer.
pub(crate) struct History<T> {
    pub(super) pool: RowPool<T>,
    committed: Variables<T>,
    /// `None` while a step is under way.
    workspace: Option<Box<Workspace<T>>>,
}

impl<T: Scalar> History<T> {
    /// The memory of an optimizer that has not stepped.
    pub(crate) fn new() -> Self {
        Self { pool: RowPool::new(0, 0), committed: Variables::default(), workspace: Some(Box::default()) }
    }

    /// The memory that was told.
    ///
    /// # Errors
    /// [`Code::Format`] if its vectors or its lists are not of one length; [`Code::Memory`].
    pub(crate) fn from_state_dict(state_dict: LbfgsStateDict<T>) -> Result<Self> {
        let width = state_dict.d.len();
        let count = state_dict.ro.len();
        if state_dict.old_dirs.len() != count || state_dict.old_stps.len() != count {
            return Err(Error::new(Code::Format, "old_dirs, old_stps and ro are not of one length"));
        }
        let rows = state_dict.old_dirs.iter().zip(&state_dict.old_stps);
        if state_dict.prev_flat_grad.len() != width || rows.clone().any(|(y, s)| y.len() != width || s.len() != width) {
            return Err(Error::new(Code::Format, "d, prev_flat_grad, old_dirs and old_stps are not of one width"));
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

    /// A copy of what is remembered from the steps before.
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

    /// True unless it is about parameters of another number of elements.
    pub(crate) fn fits(&self, width: usize) -> bool {
        self.committed.d.len() == width || (self.committed.n_iter == 0 && self.committed.pairs.is_empty())
    }

    /// True while a step is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.workspace.is_none()
    }

    /// Begins a step from `parameters`, which goes on with [`History::commit`] or [`History::roll_back`].
    ///
    /// # Errors
    /// [`Code::Memory`]; nothing has begun then.
    pub(super) fn begin(&mut self, options: &LbfgsOptions, parameters: &[T]) -> Result<Box<Workspace<T>>> {
        let busy = || Error::new(Code::Internal, "lbfgs: a step began while another was under way");
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
            // The rows that a step writes stand beside those of the history until it has succeeded, and a new one beside
            // the oldest until it is known to be committed.
            self.pool = RowPool::new(width, history.saturating_add(iter.min(history)).saturating_add(1));
        }
        // Those that there are may be more than are wanted.
        let pairs = history.min(EXPECTED_PAIRS).max(self.committed.pairs.len()) + 1;
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

    /// Remembers what a step has learned.
    pub(super) fn commit(&mut self, mut workspace: Box<Workspace<T>>) {
        let forgotten = self.committed.pairs.len() - workspace.inherited;
        self.committed.pairs.iter().take(forgotten).for_each(|pair| self.pool.release(pair.row));
        swap(&mut self.committed, &mut workspace.variables);
        self.workspace = Some(workspace);
    }

    /// Forgets what a step has learned.
    pub(super) fn roll_back(&mut self, workspace: Box<Workspace<T>>) {
        workspace.variables.pairs.iter().skip(workspace.inherited).for_each(|pair| self.pool.release(pair.row));
        self.workspace = Some(workspace);
    }
}

/// Makes room for so many pairs in all.
fn reserve_pairs(pairs: &mut VecDeque<Pair>, length: usize) -> Result<()> {
    pairs.try_reserve(length.saturating_sub(pairs.len())).map_err(|_| no_memory(length))
}
