//! The function that L-BFGS minimises.

use crate::error::Result;

/// What L-BFGS minimises: all parameters as one vector.
pub trait Objective<T> {
    /// Sets the parameters.
    fn set_parameters(&mut self, parameters: &[T]) -> Result<()>;
    /// Evaluates the loss at the parameters that are set, and overwrites `gradient` with its gradient.
    fn evaluate(&mut self, gradient: &mut [T]) -> Result<f64>;
}
