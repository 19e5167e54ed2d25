//! Tensors joined along a dimension.

use stepwell_optim::{Code, Error, Result};

use crate::engine::primitives::Primitive;
use crate::mathematics::tensor_math::{TensorMath, dim_of};

/// Tensors of one dtype, at least one, joined along a dimension. A negative dimension counts from the last.
///
/// # Errors
/// [`Code::Shape`] unless they have equal sizes in all other dimensions.
pub(crate) fn cat<E: TensorMath>(engine: &E, tensors: &[E::Tensor], dim: i64) -> Result<E::Tensor> {
    let shape = engine.shape(&tensors[0])?;
    let dim = dim_of(&shape, dim)?;
    if shape.is_empty() {
        return Err(Error::new(Code::Shape, "expected tensors with a dimension, given shape []; `stack` makes one"));
    }
    let mut total = shape.clone();
    for tensor in &tensors[1..] {
        let other = engine.shape(tensor)?;
        let fits = other.len() == shape.len() && (0..shape.len()).all(|i| i == dim || other[i] == shape[i]);
        if !fits {
            let message = format_args!("expected equal sizes except in dimension {dim}, given {shape:?} and {other:?}");
            return Err(Error::new(Code::Shape, message));
        }
        total[dim] = total[dim].saturating_add(other[dim]);
    }
    engine.check_memory(&total, engine.dtype(&tensors[0])?)?;
    engine.primitive(Primitive::Cat(dim), &tensors.iter().collect::<Vec<_>>())
}
