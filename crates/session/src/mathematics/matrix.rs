//! Products of matrices.

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::Primitive;
use crate::mathematics::tensor_math::TensorMath;

/// The product of matrices `[*, m, k]` and `[*, k, n]` of one dtype; leading dimensions broadcast, and vectors are rows or
/// columns.
pub(crate) fn product<E: Engine>(engine: &E, x: &E::Tensor, y: &E::Tensor) -> Result<E::Tensor> {
    let (left, right) = (engine.shape(x)?, engine.shape(y)?);
    let misfit = || {
        Error::new(Code::Shape, format_args!("expected shapes [*, m, k] and [*, k, n], given {left:?} and {right:?}"))
    };
    let (x_shape, y_shape) = match (&left[..], &right[..]) {
        ([], _) | (_, []) => return Err(misfit()),
        ([k], [n]) => (vec![1, *k], vec![*n, 1]),
        ([k], _) => (vec![1, *k], right.clone()),
        (_, [k]) => (left.clone(), vec![*k, 1]),
        _ => (left.clone(), right.clone()),
    };
    let (rows, inner) = (x_shape[x_shape.len() - 2], x_shape[x_shape.len() - 1]);
    let columns = y_shape[y_shape.len() - 1];
    if y_shape[y_shape.len() - 2] != inner {
        return Err(misfit());
    }
    let mut shape = batch(&x_shape[..x_shape.len() - 2], &y_shape[..y_shape.len() - 2]).ok_or_else(misfit)?;
    shape.extend([rows, columns]);
    engine.check_memory(&shape, engine.dtype(x)?)?;
    let x = if left.len() == 1 { engine.with_shape(x, &x_shape)? } else { x.clone() };
    let y = if right.len() == 1 { engine.with_shape(y, &y_shape)? } else { y.clone() };
    let result = engine.primitive(Primitive::MatMul, &[&x, &y])?;
    let rank = shape.len();
    if right.len() == 1 {
        shape.remove(rank - 1);
    }
    if left.len() == 1 {
        shape.remove(rank - 2);
    }
    if shape.len() == rank { Ok(result) } else { engine.with_shape(&result, &shape) }
}

/// The shape that leading dimensions broadcast to.
fn batch(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |of: &[usize], i: usize| (i + of.len()).checked_sub(rank).map_or(1, |i| of[i]);
    (0..rank)
        .map(|i| match (size(a, i), size(b, i)) {
            (a, b) if a == b || b == 1 => Some(a),
            (1, b) => Some(b),
            _ => None,
        })
        .collect()
}
