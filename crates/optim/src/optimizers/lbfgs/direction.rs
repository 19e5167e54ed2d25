//! The direction of an iteration: the two-loop recursion of Nocedal and Wright 2006, algorithm 7.4.
//!
//! Each iteration of either loop is one pass over memory. It adds a multiple of one row to the direction, and computes
//! the dot product with the next row.

use crate::error::Result;
use crate::numeric::scalar::Scalar;
use crate::optimizers::lbfgs::history::{Pair, Workspace};
use crate::optimizers::lbfgs::row_pool::RowPool;
use crate::optimizers::lbfgs::vectors::{axpy_scale_dot, dot, form_pair, negate, scale};

/// A pair with a smaller y · s would make the inverse Hessian indefinite, or nearly so. The limit of PyTorch's `LBFGS`.
const MIN_CURVATURE: f64 = 1e-10;

impl<T: Scalar> Workspace<T> {
    /// Adds a pair from the last iteration, and computes the next direction `d = -H g` from at most `max_pairs` pairs.
    /// Returns the derivative of the loss along it.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory).
    pub(super) fn update_direction(&mut self, pool: &mut RowPool<T>, max_pairs: usize) -> Result<f64> {
        self.reserve_pair()?;
        let Self { variables, gradients, current, .. } = self;
        let gradient = &gradients[*current];
        if variables.n_iter == 1 {
            variables.h_diag = 1.0;
            variables.d.resize(gradient.len(), T::default());
            variables.prev_flat_grad.clear();
            variables.prev_flat_grad.extend_from_slice(gradient);
            negate(&mut variables.d, gradient);
            return Ok(dot(gradient, &variables.d));
        }
        let row = pool.allocate()?;
        let (y, s) = pool.pair_mut(row);
        let found = form_pair(gradient, T::from_f64(variables.t), &mut variables.prev_flat_grad, &mut variables.d, y, s);
        let curved = found.ys > MIN_CURVATURE;
        if curved {
            variables.h_diag = found.ys / found.yy;
        } else {
            pool.release(row);
        }
        self.push_pair(pool, curved.then_some(Pair { row, ro: 1.0 / found.ys, al: 0.0 }), max_pairs);
        Ok(self.two_loops(pool, curved.then_some(found.sd)))
    }

    /// d = H d. `newest` is s · d for the newest pair, if it is known. Returns g · d.
    fn two_loops(&mut self, pool: &RowPool<T>, newest: Option<f64>) -> f64 {
        let gradient = &self.gradients[self.current];
        let (d, pairs) = (&mut self.variables.d, &mut self.variables.pairs);
        let (one, h_diag) = (T::from_f64(1.0), T::from_f64(self.variables.h_diag));
        let Some(last) = pairs.back() else {
            scale(d, h_diag);
            return dot(gradient, d);
        };
        // The dot product of d and the row that the next pass uses.
        let mut product = newest.unwrap_or_else(|| dot(pool.pair(last.row).1, d));
        for i in (0..pairs.len()).rev() {
            let (y, _) = pool.pair(pairs[i].row);
            let al = product * pairs[i].ro;
            pairs[i].al = al;
            product = if i > 0 {
                axpy_scale_dot(d, -al, y, one, pool.pair(pairs[i - 1].row).1)
            } else {
                axpy_scale_dot(d, -al, y, h_diag, y)
            };
        }
        for i in 0..pairs.len() {
            let Pair { row, ro, al } = pairs[i];
            let next = pairs.get(i + 1).map_or(&gradient[..], |pair| pool.pair(pair.row).0);
            product = axpy_scale_dot(d, al - product * ro, pool.pair(row).1, one, next);
        }
        product
    }
}
