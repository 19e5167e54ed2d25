//! Other shapes of the elements of a tensor, and parts of it.

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::Primitive;
use crate::mathematics::tensor_math::{TensorMath, dim_of};
use crate::values::numbers::size_of;

/// The elements in another shape; one size may be -1, which is computed.
pub(crate) fn reshape<E: Engine>(engine: &E, x: &E::Tensor, sizes: &[i64]) -> Result<E::Tensor> {
    engine.with_shape(x, &inferred(&engine.shape(x)?, sizes)?)
}

/// Without dimensions of size 1: all of them, or the given ones.
pub(crate) fn squeeze<E: Engine>(engine: &E, x: &E::Tensor, dims: Option<&[i64]>) -> Result<E::Tensor> {
    let (shape, dims) = (engine.shape(x)?, engine.dims(x, dims)?);
    let kept = shape.iter().enumerate().filter(|(i, size)| **size != 1 || !dims.contains(i));
    engine.with_shape(x, &kept.map(|(_, size)| *size).collect::<Vec<_>>())
}

/// With a new dimension of size 1.
pub(crate) fn unsqueeze<E: Engine>(engine: &E, x: &E::Tensor, dim: i64) -> Result<E::Tensor> {
    let mut shape = engine.shape(x)?;
    let at = new_dim(&shape, dim)?;
    shape.insert(at, 1);
    engine.with_shape(x, &shape)
}

/// Two dimensions exchanged.
pub(crate) fn transpose<E: Engine>(engine: &E, x: &E::Tensor, a: i64, b: i64) -> Result<E::Tensor> {
    engine.transpose(x, engine.dim(x, a)?, engine.dim(x, b)?)
}

/// The dimensions in another order.
pub(crate) fn permute<E: Engine>(engine: &E, x: &E::Tensor, order: &[i64]) -> Result<E::Tensor> {
    let shape = engine.shape(x)?;
    let mut dims = Vec::new();
    for dim in order {
        let dim = dim_of(&shape, *dim)?;
        if !dims.contains(&dim) {
            dims.push(dim);
        }
    }
    if dims.len() != shape.len() || order.len() != shape.len() {
        let message = format_args!("expected every dimension of shape {shape:?} once, given {order:?}");
        return Err(Error::new(Code::Shape, message));
    }
    engine.primitive(Primitive::Permute(dims), &[x])
}

/// Dimensions of size 1 repeated; a size of -1 stays.
pub(crate) fn expand<E: Engine>(engine: &E, x: &E::Tensor, sizes: &[i64]) -> Result<E::Tensor> {
    let shape = expanded(&engine.shape(x)?, sizes)?;
    engine.check_memory(&shape, engine.dtype(x)?)?;
    engine.primitive(Primitive::Expand(shape), &[x])
}

/// The part at one index along a dimension, without that dimension. A negative index counts from the last.
pub(crate) fn select<E: Engine>(engine: &E, x: &E::Tensor, dim: i64, index: i64) -> Result<E::Tensor> {
    let (mut shape, dim) = (engine.shape(x)?, engine.dim(x, dim)?);
    let size = shape.get(dim).copied().unwrap_or(0) as i64;
    if !(-size..size).contains(&index) {
        let message = format_args!("expected an index within dimension {dim} of shape {shape:?}, given {index}");
        return Err(Error::new(Code::Argument, message));
    }
    let part = engine.slice(x, dim, index.rem_euclid(size) as usize, 1)?;
    shape.remove(dim);
    engine.with_shape(&part, &shape)
}

/// The parts at indices `[n]`, a `long` tensor, along a dimension.
pub(crate) fn indexselect<E: Engine>(engine: &E, x: &E::Tensor, dim: i64, indices: &E::Tensor) -> Result<E::Tensor> {
    let (mut shape, given) = (engine.shape(x)?, engine.shape(indices)?);
    let dim = engine.dim(x, dim)?;
    let [count] = given[..] else {
        let message = format_args!("expected indices [n] for shape {shape:?}, given {given:?}");
        return Err(Error::new(Code::Shape, message));
    };
    if shape.is_empty() {
        return Err(Error::new(Code::Shape, format_args!("expected a tensor with a dimension, given {shape:?}")));
    }
    shape[dim] = count;
    engine.check_memory(&shape, engine.dtype(x)?)?;
    engine.primitive(Primitive::IndexSelect(dim), &[x, indices])
}

/// The index of a dimension that is added.
pub(crate) fn new_dim(shape: &[usize], given: i64) -> Result<usize> {
    let rank = shape.len() as i64;
    if (-rank - 1..=rank).contains(&given) {
        return Ok((if given < 0 { given + rank + 1 } else { given }) as usize);
    }
    let least = -rank - 1;
    let message =
        format_args!("expected a new dimension from {least} to {rank}, given {given} for a tensor of shape {shape:?}");
    Err(Error::new(Code::Shape, message))
}

fn inferred(shape: &[usize], sizes: &[i64]) -> Result<Vec<usize>> {
    let misfit =
        || Error::new(Code::Shape, format_args!("expected a shape for the elements of {shape:?}, given {sizes:?}"));
    let count = shape.iter().product::<usize>();
    let (mut product, mut unknown) = (1usize, 0);
    for size in sizes {
        match usize::try_from(*size) {
            Ok(size) => product = product.checked_mul(size).ok_or_else(misfit)?,
            Err(_) if *size == -1 && unknown == 0 => unknown = 1,
            Err(_) => return Err(misfit()),
        }
    }
    let rest = match (unknown, product) {
        (0, _) if product != count => return Err(misfit()),
        (0, _) => 1,
        (_, 0) => return Err(misfit()),
        _ if !count.is_multiple_of(product) => return Err(misfit()),
        _ => count / product,
    };
    Ok(sizes.iter().map(|size| usize::try_from(*size).unwrap_or(rest)).collect())
}

fn expanded(shape: &[usize], sizes: &[i64]) -> Result<Vec<usize>> {
    let misfit =
        || Error::new(Code::Shape, format_args!("expected a shape that {shape:?} broadcasts to, given {sizes:?}"));
    let added = sizes.len().checked_sub(shape.len()).ok_or_else(misfit)?;
    let mut result = Vec::new();
    for (i, size) in sizes.iter().enumerate() {
        let own = i.checked_sub(added).map(|i| shape[i]);
        if *size >= 0 {
            size_of(*size, misfit)?;
        }
        let size = match (usize::try_from(*size), own) {
            (Ok(size), None | Some(1)) => size,
            (Ok(size), Some(own)) if size == own => size,
            (Err(_), Some(own)) if *size == -1 => own,
            _ => return Err(misfit()),
        };
        result.push(size);
    }
    Ok(result)
}
