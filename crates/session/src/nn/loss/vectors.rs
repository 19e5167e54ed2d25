//! Losses of three tensors.

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Reduce, Unary};
use crate::mathematics::distance::pairwise;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::loss::elements::at_least_zero;

/// 1 - cos(a, b) where y = 1, max(0, cos(a, b) - margin) where y = -1, of rows `[n, d]` and `[n]` targets, or of two vectors
/// and a number.
pub(crate) fn cosine<E: Engine>(
    engine: &E,
    a: &E::Tensor,
    b: &E::Tensor,
    y: &E::Tensor,
    margin: f64,
) -> Result<E::Tensor> {
    /// Added to squared lengths, as PyTorch does.
    const EPSILON: f64 = 1e-12;
    let (shape, other, targets) = (engine.shape(a)?, engine.shape(b)?, engine.shape(y)?);
    if shape.is_empty() || shape.len() > 2 || other != shape || targets != shape[..shape.len() - 1] {
        let message = format!(
            "expected two tensors of shape [n, d] with targets [n], or [d] with a number, given {shape:?}, {other:?} and \
             {targets:?}"
        );
        return Err(Error::new(Code::Shape, message));
    }
    let dim = shape.len() - 1;
    let product =
        |a: &E::Tensor, b: &E::Tensor| engine.reduce(Reduce::Sum, &engine.binary(Binary::Mul, a, b)?, &[dim], false);
    let squares = engine.binary(
        Binary::Mul,
        &engine.with_number(Binary::Add, &product(a, a)?, EPSILON)?,
        &engine.with_number(Binary::Add, &product(b, b)?, EPSILON)?,
    )?;
    let cosine = engine.binary(Binary::Div, &product(a, b)?, &engine.unary(Unary::Sqrt, &squares)?)?;
    let zero = engine.number_like(&cosine, 0.0)?;
    let near = engine.with_number(Binary::Add, &engine.unary(Unary::Neg, &cosine)?, 1.0)?;
    let near = engine.choose(&engine.compare_number(Compare::Eq, y, 1.0)?, &near, &zero)?;
    let far = at_least_zero(engine, &engine.with_number(Binary::Sub, &cosine, margin)?)?;
    let far = engine.choose(&engine.compare_number(Compare::Eq, y, -1.0)?, &far, &zero)?;
    engine.binary(Binary::Add, &near, &far)
}

/// max(0, -y (a - b) + margin), of shapes that broadcast.
pub(crate) fn margin<E: Engine>(
    engine: &E,
    a: &E::Tensor,
    b: &E::Tensor,
    y: &E::Tensor,
    margin: f64,
) -> Result<E::Tensor> {
    let product = engine.binary(Binary::Mul, &engine.binary(Binary::Sub, b, a)?, y)?;
    at_least_zero(engine, &engine.with_number(Binary::Add, &product, margin)?)
}

/// max(0, |anchor - positive| - |anchor - negative| + margin) along the last dimension.
pub(crate) fn triplet<E: Engine>(
    engine: &E,
    [anchor, positive, negative]: [&E::Tensor; 3],
    margin: f64,
    p: f64,
    eps: f64,
    swap: bool,
) -> Result<E::Tensor> {
    let distance = |a: &E::Tensor, b: &E::Tensor| match engine.broadcast(&[a, b])?.is_empty() {
        true => Err(Error::new(Code::Shape, "expected tensors of shape [*, d], given []")),
        false => pairwise(engine, a, b, p, eps, false),
    };
    let near = distance(anchor, positive)?;
    let mut far = distance(anchor, negative)?;
    if swap {
        far = engine.binary(Binary::Minimum, &far, &distance(positive, negative)?)?;
    }
    at_least_zero(engine, &engine.with_number(Binary::Add, &engine.binary(Binary::Sub, &near, &far)?, margin)?)
}
