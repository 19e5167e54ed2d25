//! The history of L-BFGS: the committed variables, and the workspace of a step.
//!
//! A step writes only to its own rows and vectors. So a failed step has nothing to restore, and the closure sees the
//! committed variables.

use std::mem::swap;

use crate::error::{Code, Error, Result};
use crate::fallible::with_capacity;
use crate::memory::no_memory;
use crate::optimizers::lbfgs::options::LbfgsOptions;
use crate::optimizers::lbfgs::row_pool::RowPool;
use crate::optimizers::lbfgs::state_dict::LbfgsStateDict;
use crate::optimizers::lbfgs::vector_memory::VectorMemory;
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
pub(super) struct Variables<V: VectorMemory> {
    pub(super) func_evals: u64,
    pub(super) n_iter: u64,
    pub(super) t: f64,
    pub(super) prev_loss: f64,
    pub(super) d: V::Vector,
    pub(super) h_diag: f64,
    pub(super) prev_flat_grad: V::Vector,
    /// Oldest first.
    pub(super) pairs: Vec<Pair>,
}

impl<V: VectorMemory> Default for Variables<V> {
    fn default() -> Self {
        Self {
            func_evals: 0,
            n_iter: 0,
            t: 0.0,
            prev_loss: 0.0,
            d: V::Vector::default(),
            h_diag: 0.0,
            prev_flat_grad: V::Vector::default(),
            pairs: Vec::new(),
        }
    }
}

impl<V: VectorMemory> Variables<V> {
    fn reserve(&mut self, memory: &V, width: usize, pairs: usize) -> Result<()> {
        memory.reserve(&mut self.d, width)?;
        memory.reserve(&mut self.prev_flat_grad, width)?;
        reserve_pairs(&mut self.pairs, pairs)
    }

    /// Copies from other variables; the capacity was reserved.
    fn assign(&mut self, memory: &V, other: &Self) -> Result<()> {
        let Self { func_evals, n_iter, t, prev_loss, d, h_diag, prev_flat_grad, pairs } = self;
        (*func_evals, *n_iter, *t) = (other.func_evals, other.n_iter, other.t);
        (*prev_loss, *h_diag) = (other.prev_loss, other.h_diag);
        V::resize(d, V::len(&other.d));
        memory.copy(V::all_mut(d), V::all(&other.d))?;
        V::resize(prev_flat_grad, V::len(&other.prev_flat_grad));
        memory.copy(V::all_mut(prev_flat_grad), V::all(&other.prev_flat_grad))?;
        pairs.clear();
        pairs.extend_from_slice(&other.pairs);
        Ok(())
    }
}

/// The buffers of a step. They are kept between steps, so that only the first step allocates.
pub(super) struct Workspace<V: VectorMemory> {
    /// The variables so far.
    pub(super) variables: Variables<V>,
    /// The number of oldest pairs that are also pairs of the history.
    inherited: usize,
    /// The parameters of the current iteration.
    pub(super) x: V::Vector,
    /// The parameters of a trial of the line search.
    pub(super) trial: V::Vector,
    /// The gradients of up to three points, as the line search needs them.
    pub(super) gradients: [V::Vector; 3],
    /// Index of the gradient at `x`.
    pub(super) current: usize,
}

impl<V: VectorMemory> Default for Workspace<V> {
    fn default() -> Self {
        Self {
            variables: Variables::default(),
            inherited: 0,
            x: V::Vector::default(),
            trial: V::Vector::default(),
            gradients: Default::default(),
            current: 0,
        }
    }
}

impl<V: VectorMemory> Workspace<V> {
    /// Reserves capacity for one more pair.
    pub(super) fn reserve_pair(&mut self, memory: &V) -> Result<()> {
        let pairs = &mut self.variables.pairs;
        pairs.try_reserve(1).map_err(|_| no_memory(pairs.len() + 1))?;
        memory.reserve_coefficients(pairs.len() + 1)
    }

    /// Appends a pair, for which there is capacity, and removes the oldest beyond `max_pairs`.
    pub(super) fn push_pair(&mut self, pool: &mut RowPool<V>, pair: Option<Pair>, max_pairs: usize) {
        let pairs = &mut self.variables.pairs;
        pairs.extend(pair);
        let excess = pairs.len().saturating_sub(max_pairs);
        for oldest in &pairs[..excess] {
            match self.inherited.checked_sub(1) {
                // The history still uses its row.
                Some(rest) => self.inherited = rest,
                None => pool.release(oldest.row),
            }
        }
        pairs.copy_within(excess.., 0);
        pairs.truncate(pairs.len() - excess);
    }
}

/// The variables and rows of an L-BFGS optimizer.
pub(crate) struct History<V: VectorMemory> {
    pub(super) memory: V,
    pub(super) pool: RowPool<V>,
    committed: Variables<V>,
    /// `None` while a step is running.
    workspace: Option<Box<Workspace<V>>>,
}

impl<V: VectorMemory> History<V> {
    /// The history before the first step.
    pub(super) fn new(memory: V) -> Self {
        Self { memory, pool: RowPool::new(0, 0), committed: Variables::default(), workspace: Some(Box::default()) }
    }

    /// A history from plain data.
    ///
    /// # Errors
    /// [`Code::Format`] if vectors or lists have different lengths; [`Code::Memory`].
    pub(super) fn from_state_dict(memory: V, state_dict: LbfgsStateDict<V::Element>) -> Result<Self> {
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
        let mut pairs = Vec::new();
        reserve_pairs(&mut pairs, count)?;
        for ((y, s), &ro) in rows.zip(&state_dict.ro) {
            let row = pool.allocate(&memory)?;
            let (to_y, to_s) = pool.pair_mut(row);
            memory.upload(to_y, y)?;
            memory.upload(to_s, s)?;
            pairs.push(Pair { row, ro, al: 0.0 });
        }
        let LbfgsStateDict { func_evals, n_iter, t, prev_loss, d, h_diag, prev_flat_grad, .. } = state_dict;
        let vector = |from: &[V::Element]| memory.vector_of(from.len(), |to| memory.upload(to, from));
        let (d, prev_flat_grad) = (vector(&d)?, vector(&prev_flat_grad)?);
        let committed = Variables { func_evals, n_iter, t, prev_loss, d, h_diag, prev_flat_grad, pairs };
        Ok(Self { memory, pool, committed, workspace: Some(Box::default()) })
    }

    /// A copy of the committed variables and pairs.
    ///
    /// # Errors
    /// [`Code::Memory`]
    pub(super) fn state_dict(&self) -> Result<LbfgsStateDict<V::Element>> {
        let Variables { func_evals, n_iter, t, prev_loss, h_diag, .. } = self.committed;
        let count = self.committed.pairs.len();
        let (mut old_dirs, mut old_stps, mut ro) = (with_capacity(count)?, with_capacity(count)?, with_capacity(count)?);
        for pair in &self.committed.pairs {
            old_dirs.push(self.memory.download(self.pool.y(pair.row))?);
            old_stps.push(self.memory.download(self.pool.s(pair.row))?);
            ro.push(pair.ro);
        }
        Ok(LbfgsStateDict {
            func_evals,
            n_iter,
            t,
            prev_loss,
            d: self.memory.download(V::all(&self.committed.d))?,
            h_diag,
            prev_flat_grad: self.memory.download(V::all(&self.committed.prev_flat_grad))?,
            old_dirs,
            old_stps,
            ro,
        })
    }

    /// The number of elements of a vector, and the number of pairs.
    pub(crate) fn size(&self) -> (usize, usize) {
        (V::len(&self.committed.d), self.committed.pairs.len())
    }

    /// True if the history is empty or its vectors have this length.
    pub(crate) fn fits(&self, width: usize) -> bool {
        V::len(&self.committed.d) == width || (self.committed.n_iter == 0 && self.committed.pairs.is_empty())
    }

    /// True while a step is running.
    pub(crate) fn is_stepping(&self) -> bool {
        self.workspace.is_none()
    }

    /// Starts a step at `parameters`. [`History::commit`] or [`History::roll_back`] ends it.
    ///
    /// # Errors
    /// [`Code::Memory`]; no step is then running.
    pub(super) fn begin(&mut self, options: &LbfgsOptions, parameters: V::Ref<'_>) -> Result<Box<Workspace<V>>> {
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

    fn prepare(&mut self, workspace: &mut Workspace<V>, options: &LbfgsOptions, parameters: V::Ref<'_>) -> Result<()> {
        let (width, memory) = (V::length(parameters), &self.memory);
        let (history, iter) = (count(options.history), count(options.iter));
        if self.pool.width() != width {
            // Until a step is committed, it needs rows that the history does not use. A new pair needs a row before the
            // oldest one is released.
            self.pool = RowPool::new(width, history.saturating_add(iter.min(history)).saturating_add(1));
        }
        // A restored history may have more pairs than the option asks for.
        let pairs = history.min(MAX_RESERVED_PAIRS).max(self.committed.pairs.len()) + 1;
        self.committed.reserve(memory, width, pairs)?;
        workspace.variables.reserve(memory, width, pairs)?;
        memory.reserve_coefficients(pairs)?;
        memory.reserve(&mut workspace.x, width)?;
        let searches = options.search.is_some();
        for gradient in &mut workspace.gradients[..if searches { 3 } else { 1 }] {
            memory.reserve(gradient, width)?;
            V::resize(gradient, width);
        }
        if searches {
            memory.reserve(&mut workspace.trial, width)?;
            V::resize(&mut workspace.trial, width);
        }
        V::resize(&mut workspace.x, width);
        memory.copy(V::all_mut(&mut workspace.x), parameters)?;
        workspace.current = 0;
        workspace.variables.assign(memory, &self.committed)?;
        workspace.inherited = workspace.variables.pairs.len();
        Ok(())
    }

    /// Makes the variables of a step the committed ones.
    pub(super) fn commit(&mut self, mut workspace: Box<Workspace<V>>) {
        let forgotten = self.committed.pairs.len() - workspace.inherited;
        self.committed.pairs.iter().take(forgotten).for_each(|pair| self.pool.release(pair.row));
        swap(&mut self.committed, &mut workspace.variables);
        self.workspace = Some(workspace);
    }

    /// Releases the rows of a failed step.
    pub(super) fn roll_back(&mut self, workspace: Box<Workspace<V>>) {
        workspace.variables.pairs.iter().skip(workspace.inherited).for_each(|pair| self.pool.release(pair.row));
        self.workspace = Some(workspace);
    }
}

/// Reserves capacity for `length` pairs in all.
fn reserve_pairs(pairs: &mut Vec<Pair>, length: usize) -> Result<()> {
    pairs.try_reserve(length.saturating_sub(pairs.len())).map_err(|_| no_memory(length))
}
