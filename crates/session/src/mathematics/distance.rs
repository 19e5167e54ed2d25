//! Distances, and vectors of norm 1.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Primitive, Reduce};
use crate::mathematics::activation::widened;
use crate::mathematics::calculation::{Calculation, Node, calculated};
use crate::mathematics::norm::norm;
use crate::mathematics::tensor_math::{TensorMath, dim_of};
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// x divided by its norm of order p along a dimension, or by `eps` if that is larger.
pub(crate) fn normalize<E: Engine>(engine: &E, x: &E::Tensor, p: f64, dim: i64, eps: f64) -> Result<E::Tensor> {
    let dim = engine.dim(x, dim)?;
    let dims = if engine.shape(x)?.is_empty() { Vec::new() } else { vec![dim] };
    widened(engine, x, &|x| calculated(engine, &|c| unit(c, c.input(x), p, &dims, eps)))
}

/// The norm of order p of x - y + `eps` along the last dimension, of shapes that broadcast.
pub(crate) fn pairwise<E: Engine>(c: &Calculation<'_, E>, [x, y]: [Node; 2], p: f64, eps: f64, keepdim: bool) -> Node {
    let difference = c.with_number(Binary::Add, c.checked_binary(Binary::Sub, x, y), eps);
    match c.shape(difference) {
        Ok(shape) => norm(c, difference, p, &last_dim(&shape), keepdim),
        Err(error) => c.fail(error),
    }
}

/// The last dimension, if there is one.
fn last_dim(shape: &[usize]) -> Vec<usize> {
    shape.len().checked_sub(1).into_iter().collect()
}

/// x divided by its norm of order p over dimensions, or by `eps` if that is larger.
fn unit<E: Engine>(c: &Calculation<'_, E>, x: Node, p: f64, dims: &[usize], eps: f64) -> Node {
    let norm = norm(c, x, p, dims, true);
    // Without a gradient where the norm is too small.
    c.binary(Binary::Div, x, c.number_where(c.compare_number(Compare::Lt, norm, eps), eps, norm))
}

/// The cosine of the angle of x and y along a dimension. Norms below `eps` count as `eps`.
pub(crate) fn similar<E: Engine>(engine: &E, x: &E::Tensor, y: &E::Tensor, dim: i64, eps: f64) -> Result<E::Tensor> {
    let shape = engine.broadcast(&[x, y])?;
    let dim = dim_of(&shape, dim)?;
    let dims = if shape.is_empty() { Vec::new() } else { vec![dim] };
    calculated(engine, &|c| {
        let [x, y] = [x, y].map(|x| c.expand(c.input(x), &shape));
        let [x, y] = [x, y].map(|x| unit(c, x, 2.0, &dims, eps));
        c.reduce(Reduce::Sum, c.binary(Binary::Mul, x, y), &dims, false)
    })
}

/// The distances of order p of every two rows of `x [n, d]`: `[n (n - 1) / 2]`, row 0 with the others first.
///
/// # Errors
/// [`Code::Shape`] unless x is a matrix.
pub(crate) fn pdist<E: Engine>(engine: &E, x: &E::Tensor, p: f64) -> Result<E::Tensor> {
    let shape = engine.shape(x)?;
    let [rows, columns] = shape[..] else {
        return Err(Error::new(Code::Shape, format_args!("expected rows [n, d], given shape {shape:?}")));
    };
    let count = (rows as f64 * rows.saturating_sub(1) as f64 / 2.0).min(usize::MAX as f64) as usize;
    engine.check_memory(&[count, columns.max(1)], Dtype::Double)?;
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
    let c = Calculation::new(engine);
    let x = c.input(x);
    let [first, second] = [first, second]
        .map(|indices| c.primitive(Primitive::IndexSelect(0), &[x, c.tensor(x, Data::Long(indices), &[count])]));
    // As in PyTorch, rows without elements have the distance 0 in every order.
    let p = if columns == 0 { 1.0 } else { p };
    c.result(norm(&c, c.binary(Binary::Sub, first, second), p, &[1], false))
}
