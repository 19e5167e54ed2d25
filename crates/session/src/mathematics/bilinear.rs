//! A map of two inputs that is linear in each.

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Primitive};
use crate::mathematics::calculation::Calculation;
use crate::mathematics::tensor_math::TensorMath;

/// `x [*, i]` and `y [*, j]` with `weight [o, i, j]` and `bias [o]`, of one dtype: `[*, o]`.
pub(crate) fn bilinear<E: Engine>(
    engine: &E,
    x: &E::Tensor,
    y: &E::Tensor,
    weight: &E::Tensor,
    bias: Option<&E::Tensor>,
) -> Result<E::Tensor> {
    let (left, right, sizes) = (engine.shape(x)?, engine.shape(y)?, engine.shape(weight)?);
    let [o, i, j] = sizes[..] else {
        return Err(Error::new(Code::Shape, format_args!("expected a weight of shape [o, i, j], given {sizes:?}")));
    };
    let (Some((&last_left, batch)), Some((&last_right, other))) = (left.split_last(), right.split_last()) else {
        return Err(misfit(i, j, &left, &right));
    };
    if (last_left, last_right) != (i, j) || batch != other {
        return Err(misfit(i, j, &left, &right));
    }
    let n = batch.iter().product();
    engine.check_memory(&[n, o, j], engine.dtype(x)?)?;
    if let Some(bias) = bias
        && engine.shape(bias)? != [o]
    {
        return Err(Error::new(
            Code::Shape,
            format_args!("expected a bias of shape [{o}], given {:?}", engine.shape(bias)?),
        ));
    }
    let c = Calculation::new(engine);
    // [i, o j], so that the first product is one of matrices.
    let flat = c.with_shape(c.permuted(c.input(weight), &[1, 0, 2]), &[i, o * j]);
    let product = c.primitive(Primitive::MatMul, &[c.with_shape(c.input(x), &[n, i]), flat]);
    let right = c.with_shape(c.input(y), &[n, j, 1]);
    let product = c.primitive(Primitive::MatMul, &[c.with_shape(product, &[n, o, j]), right]);
    let mut result = c.with_shape(product, &[batch, &[o]].concat());
    if let Some(bias) = bias {
        result = c.binary(Binary::Add, result, c.input(bias));
    }
    c.result(result)
}

fn misfit(i: usize, j: usize, left: &[usize], right: &[usize]) -> Error {
    Error::new(
        Code::Shape,
        format_args!("expected inputs of shapes [*, {i}] and [*, {j}], given {left:?} and {right:?}"),
    )
}
