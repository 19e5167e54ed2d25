//! Distances, and vectors of norm 1.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Primitive, Reduce};
use crate::mathematics::activation::widened;
use crate::mathematics::norm::norm;
use crate::mathematics::tensor_math::TensorMath;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// x divided by its norm of order p along a dimension, or by `eps` if that is larger.
pub(crate) fn normalize<E: Engine>(engine: &E, x: &E::Tensor, p: f64, dim: i64, eps: f64) -> Result<E::Tensor> {
    let dim = engine.dim(x, dim)?;
    let dims = if engine.shape(x)?.is_empty() { Vec::new() } else { vec![dim] };
    widened(engine, x, &|x| engine.binary(Binary::Div, x, &at_least(engine, &norm(engine, x, p, &dims, true)?, eps)?))
}

/// The norm of order p of x - y + `eps` along the last dimension.
pub(crate) fn pairwise<E: Engine>(
    engine: &E,
    x: &E::Tensor,
    y: &E::Tensor,
    p: f64,
    eps: f64,
    keepdim: bool,
) -> Result<E::Tensor> {
    let difference = engine.with_number(Binary::Add, &engine.binary(Binary::Sub, x, y)?, eps)?;
    let last = engine.shape(&difference)?.len().checked_sub(1);
    let dims: Vec<usize> = last.into_iter().collect();
    norm(engine, &difference, p, &dims, keepdim)
}

/// The cosine of the angle of x and y along a dimension. Norms below `eps` count as `eps`.
pub(crate) fn similar<E: Engine>(engine: &E, x: &E::Tensor, y: &E::Tensor, dim: i64, eps: f64) -> Result<E::Tensor> {
    let shape = engine.broadcast(&[x, y])?;
    let expand = |x: &E::Tensor| engine.primitive(Primitive::Expand(shape.clone()), &[x]);
    let (x, y) = (expand(x)?, expand(y)?);
    let dim = engine.dim(&x, dim)?;
    let dims = if shape.is_empty() { Vec::new() } else { vec![dim] };
    let unit =
        |x: &E::Tensor| engine.binary(Binary::Div, x, &at_least(engine, &norm(engine, x, 2.0, &dims, true)?, eps)?);
    engine.reduce(Reduce::Sum, &engine.binary(Binary::Mul, &unit(&x)?, &unit(&y)?)?, &dims, false)
}

/// The distances of order p of every two rows of `x [n, d]`: `[n (n - 1) / 2]`, row 0 with the others first.
///
/// # Errors
/// [`Code::Shape`] unless x is a matrix.
pub(crate) fn pdist<E: Engine>(engine: &E, x: &E::Tensor, p: f64) -> Result<E::Tensor> {
    let shape = engine.shape(x)?;
    let [rows, columns] = shape[..] else {
        return Err(Error::new(Code::Shape, format!("expected rows [n, d], given shape {shape:?}")));
    };
    let count = (rows as f64 * rows.saturating_sub(1) as f64 / 2.0).min(usize::MAX as f64) as usize;
    engine.check_memory(&[count, columns.max(1)], Dtype::Double)?;
    let select = |indices: Vec<i64>| {
        let indices = engine.tensor(&Data::Long(indices), &[count], engine.device(x)?)?;
        engine.primitive(Primitive::IndexSelect(0), &[x, &indices])
    };
    let mut pair = (0, 0);
    let pairs = collected((0..count).map(|_| {
        pair.1 += 1;
        if pair.1 == rows {
            pair = (pair.0 + 1, pair.0 + 2);
        }
        pair
    }))?;
    let first = collected(pairs.iter().map(|(i, _)| *i as i64))?;
    let second = collected(pairs.iter().map(|(_, j)| *j as i64))?;
    let difference = engine.binary(Binary::Sub, &select(first)?, &select(second)?)?;
    norm(engine, &difference, p, &[1], false)
}

/// Elements, or `eps` where they are below, without a gradient there.
fn at_least<E: Engine>(engine: &E, x: &E::Tensor, eps: f64) -> Result<E::Tensor> {
    let is_below = engine.compare_number(Compare::Lt, x, eps)?;
    engine.choose(&is_below, &engine.number_like(x, eps)?, x)
}
