//! The direction of an iteration: the two-loop recursion of Nocedal and Wright 2006, algorithm 7.4.
//!
//! Each iteration of either loop is one pass over memory. It adds a multiple of one row to the direction, and computes
//! the dot product with the next row.

use crate::error::Result;
use crate::optimizers::lbfgs::history::{Pair, Workspace};
use crate::optimizers::lbfgs::row_pool::RowPool;
use crate::optimizers::lbfgs::vector_memory::{RecursionPass, VectorMemory};

/// A pair with a smaller y · s would make the inverse Hessian indefinite, or nearly so. The limit of PyTorch's `LBFGS`.
const MIN_CURVATURE: f64 = 1e-10;

impl<V: VectorMemory> Workspace<V> {
    /// Adds a pair from the last iteration, and computes the next direction `d = -H g` from at most `max_pairs` pairs.
    /// Returns the derivative of the loss along it.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory).
    pub(super) fn update_direction(&mut self, memory: &V, pool: &mut RowPool<V>, max_pairs: usize) -> Result<f64> {
        self.reserve_pair(memory)?;
        let Self { variables, gradients, current, .. } = self;
        let gradient = V::all(&gradients[*current]);
        if variables.n_iter == 1 {
            variables.h_diag = 1.0;
            V::resize(&mut variables.d, V::length(gradient));
            V::resize(&mut variables.prev_flat_grad, V::length(gradient));
            memory.copy(V::all_mut(&mut variables.prev_flat_grad), gradient)?;
            memory.negate(V::all_mut(&mut variables.d), gradient)?;
            return memory.value(memory.dot(gradient, V::all(&variables.d))?);
        }
        let row = pool.allocate(memory)?;
        let (y, s) = pool.pair_mut(row);
        let (before, d) = (V::all_mut(&mut variables.prev_flat_grad), V::all_mut(&mut variables.d));
        let (ys, yy, sd) = match memory.form_pair(gradient, variables.t, before, d, y, s) {
            Ok(sums) => sums,
            Err(error) => {
                pool.release(row);
                return Err(error);
            }
        };
        let curved = ys > MIN_CURVATURE;
        if curved {
            variables.h_diag = ys / yy;
        } else {
            pool.release(row);
        }
        self.push_pair(pool, curved.then_some(Pair { row, ro: 1.0 / ys, al: 0.0 }), max_pairs);
        self.two_loops(memory, pool, curved.then_some(sd))
    }

    /// d = H d. `newest` is s · d for the newest pair, if it is known. Returns g · d.
    fn two_loops(&mut self, memory: &V, pool: &RowPool<V>, newest: Option<V::Product>) -> Result<f64> {
        let gradient = V::all(&self.gradients[self.current]);
        let (d, pairs, h_diag) = (&mut self.variables.d, &mut self.variables.pairs, self.variables.h_diag);
        let Some(last) = pairs.last() else {
            memory.scale(V::all_mut(d), h_diag)?;
            return memory.value(memory.dot(gradient, V::all(d))?);
        };
        // The dot product of d and the row that the next pass uses.
        let mut product = match newest {
            Some(product) => product,
            None => memory.dot(pool.s(last.row), V::all(d))?,
        };
        for position in (0..pairs.len()).rev() {
            let y = pool.y(pairs[position].row);
            let (next, h) = match position.checked_sub(1) {
                Some(before) => (pool.s(pairs[before].row), 1.0),
                None => (y, h_diag),
            };
            let Pair { ro, al, .. } = &mut pairs[position];
            let pass = RecursionPass { is_first: true, position, ro: *ro, coefficient: al, h };
            memory.recur(pass, V::all_mut(d), y, next, &mut product)?;
        }
        for position in 0..pairs.len() {
            let next = pairs.get(position + 1).map_or(gradient, |pair| pool.y(pair.row));
            let Pair { row, ro, al } = &mut pairs[position];
            let pass = RecursionPass { is_first: false, position, ro: *ro, coefficient: al, h: 1.0 };
            memory.recur(pass, V::all_mut(d), pool.s(*row), next, &mut product)?;
        }
        memory.value(product)
    }
}
