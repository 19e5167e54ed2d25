//! The direction of an iteration: the two-loop recursion of Nocedal and Wright 2006, algorithm 7.4.
//!
//! Each iteration of either loop is one pass: it moves the direction by one row and multiplies it with the next.

use crate::error::Result;
use crate::numeric::scalar::Scalar;
use crate::optimizers::lbfgs::history::{Pair, Workspace};
use crate::optimizers::lbfgs::row_pool::Ring;
use crate::optimizers::lbfgs::vectors::{advance_and_dot, dot, negate, scale, turn_back};

/// A pair with less curvature than this would make the inverse Hessian indefinite, or nearly so.
const LEAST_CURVATURE: f64 = 1e-10;

impl<T: Scalar> Workspace<T> {
    /// Learns the curvature from the last iteration and sets the next direction `d = -H g`, with at most `most` pairs.
    /// Returns the derivative of the loss along it.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory).
    pub(super) fn turn(&mut self, ring: &mut Ring<T>, most: usize) -> Result<f64> {
        self.expect_pair()?;
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
        let row = ring.take()?;
        let (y, s) = ring.pair_mut(row);
        let found = turn_back(gradient, T::from_f64(variables.t), &mut variables.prev_flat_grad, &mut variables.d, y, s);
        let curved = found.ys > LEAST_CURVATURE;
        if curved {
            variables.h_diag = found.ys / found.yy;
        } else {
            ring.give_back(row);
        }
        self.keep(ring, curved.then_some(Pair { row, ro: 1.0 / found.ys, al: 0.0 }), most);
        Ok(self.two_loops(ring, curved.then_some(found.sd)))
    }

    /// d = H d. `newest` is the product of d with the newest difference of parameters, where it is known. Returns g · d.
    fn two_loops(&mut self, ring: &Ring<T>, newest: Option<f64>) -> f64 {
        let gradient = &self.gradients[self.current];
        let (d, pairs) = (&mut self.variables.d, &mut self.variables.pairs);
        let (one, h_diag) = (T::from_f64(1.0), T::from_f64(self.variables.h_diag));
        let Some(last) = pairs.back() else {
            scale(d, h_diag);
            return dot(gradient, d);
        };
        // Always of d and the row that the next pass is about.
        let mut product = newest.unwrap_or_else(|| dot(ring.pair(last.row).1, d));
        for i in (0..pairs.len()).rev() {
            let (y, _) = ring.pair(pairs[i].row);
            let al = product * pairs[i].ro;
            pairs[i].al = al;
            product = if i > 0 {
                advance_and_dot(d, -al, y, one, ring.pair(pairs[i - 1].row).1)
            } else {
                advance_and_dot(d, -al, y, h_diag, y)
            };
        }
        for i in 0..pairs.len() {
            let Pair { row, ro, al } = pairs[i];
            let next = pairs.get(i + 1).map_or(&gradient[..], |pair| ring.pair(pair.row).0);
            product = advance_and_dot(d, al - product * ro, ring.pair(row).1, one, next);
        }
        product
    }
}
