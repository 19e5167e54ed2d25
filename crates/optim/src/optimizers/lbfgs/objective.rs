//! The function that L-BFGS minimises.

use crate::error::Result;

/// The objective of L-BFGS, a function of all parameters as one vector.
pub trait Objective<T> {
    /// Sets the parameters.
    fn set_parameters(&mut self, parameters: &[T]) -> Result<()>;
    /// Evaluates the loss at the current parameters, and overwrites `gradient`.
    fn evaluate(&mut self, gradient: &mut [T]) -> Result<f64>;
}
