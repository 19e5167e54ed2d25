//! Norms of vectors.

use stepwell_optim::Result;

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Reduce, Unary};
use crate::mathematics::tensor_math::TensorMath;
use crate::values::dtype::Dtype;

/// The norm of order p over dimensions; order 0 counts the elements that differ from 0. The gradient of a norm of 0 is 0.
pub(crate) fn norm<E: Engine>(engine: &E, x: &E::Tensor, p: f64, dims: &[usize], keepdim: bool) -> Result<E::Tensor> {
    let size = engine.unary(Unary::Abs, x)?;
    if p == f64::INFINITY {
        return engine.reduce(Reduce::Amax, &size, dims, keepdim);
    }
    if p == f64::NEG_INFINITY {
        return engine.reduce(Reduce::Amin, &size, dims, keepdim);
    }
    if p == 1.0 {
        return engine.reduce(Reduce::Sum, &size, dims, keepdim);
    }
    if p == 0.0 {
        let counted = engine.compare_number(Compare::Ne, x, 0.0)?;
        let dtype: Dtype = engine.dtype(x)?;
        return engine.reduce(Reduce::Sum, &engine.cast(counted, dtype)?, dims, keepdim);
    }
    let powers =
        if p == 2.0 { engine.binary(Binary::Mul, x, x)? } else { engine.with_number(Binary::Pow, &size, p)? };
    let sum = engine.reduce(Reduce::Sum, &powers, dims, keepdim)?;
    let is_zero = engine.compare_number(Compare::Eq, &sum, 0.0)?;
    // The root has an infinite slope at 0.
    let safe = engine.choose(&is_zero, &engine.number_like(&sum, 1.0)?, &sum)?;
    let root =
        if p == 2.0 { engine.unary(Unary::Sqrt, &safe)? } else { engine.with_number(Binary::Pow, &safe, 1.0 / p)? };
    engine.choose(&is_zero, &engine.number_like(&sum, 0.0)?, &root)
}
