//! Functions of tensors: each checks shapes and memory, and applies one primitive.

use stepwell_optim::{Code, Error, Result, joined};

use crate::engine::Engine;
use crate::engine::element_count::checked_element_count;
use crate::engine::primitives::{Binary, Compare, Primitive, Reduce, Unary};
use crate::values::data::Data;
use crate::values::dtype::Dtype;
use crate::values::numbers::{check_dimensions, check_empty};

/// Functions that every engine has by its primitives.
pub(crate) trait TensorMath: Engine + Sized {
    /// The first output of a primitive.
    fn primitive(&self, primitive: Primitive, inputs: &[&Self::Tensor]) -> Result<Self::Tensor> {
        self.apply_one(&primitive, inputs)
    }

    /// The tensor as another dtype, with its gradient; the tensor itself if it has it.
    fn cast(&self, x: Self::Tensor, dtype: Dtype) -> Result<Self::Tensor> {
        if self.dtype(&x)? == dtype {
            return Ok(x);
        }
        self.check_memory(&self.shape(&x)?, dtype)?;
        self.primitive(Primitive::Cast(dtype), &[&x])
    }

    /// Fails if there is no memory for a tensor.
    fn check_memory(&self, shape: &[usize], dtype: Dtype) -> Result<()> {
        checked_element_count(self, shape, dtype).map(drop)
    }

    /// A number without dimensions, of the dtype and on the device of `x`.
    fn number_like(&self, x: &Self::Tensor, number: f64) -> Result<Self::Tensor> {
        let data = Data::Double(vec![number]).cast(self.dtype(x)?)?;
        self.tensor(&data, &[], self.device(x)?)
    }

    fn unary(&self, function: Unary, x: &Self::Tensor) -> Result<Self::Tensor> {
        self.primitive(Primitive::Unary(function), &[x])
    }

    /// A function of two tensors of one dtype. Fails unless their shapes broadcast.
    fn binary(&self, function: Binary, a: &Self::Tensor, b: &Self::Tensor) -> Result<Self::Tensor> {
        if !self.has_shape_of(a, b)? {
            self.broadcast(&[a, b])?;
        }
        self.primitive(Primitive::Binary(function), &[a, b])
    }

    /// A function of a tensor and a number.
    fn with_number(&self, function: Binary, x: &Self::Tensor, number: f64) -> Result<Self::Tensor> {
        self.primitive(Primitive::Binary(function), &[x, &self.number_like(x, number)?])
    }

    fn compare(&self, comparison: Compare, a: &Self::Tensor, b: &Self::Tensor) -> Result<Self::Tensor> {
        self.broadcast(&[a, b])?;
        self.primitive(Primitive::Compare(comparison), &[a, b])
    }

    fn compare_number(&self, comparison: Compare, x: &Self::Tensor, number: f64) -> Result<Self::Tensor> {
        self.primitive(Primitive::Compare(comparison), &[x, &self.number_like(x, number)?])
    }

    /// `a` where the condition is true, else `b`.
    fn choose(&self, condition: &Self::Tensor, a: &Self::Tensor, b: &Self::Tensor) -> Result<Self::Tensor> {
        self.broadcast(&[condition, a, b])?;
        self.primitive(Primitive::Where, &[condition, a, b])
    }

    fn reduce(&self, reduction: Reduce, x: &Self::Tensor, dims: &[usize], keepdim: bool) -> Result<Self::Tensor> {
        self.check_reduced(x, dims)?;
        self.primitive(Primitive::Reduce { reduction, dims: dims.to_vec(), keepdim }, &[x])
    }

    /// Fails if there is no memory for a tensor after a reduction. It may be larger than one without elements before.
    fn check_reduced(&self, x: &Self::Tensor, dims: &[usize]) -> Result<()> {
        let mut shape = self.shape(x)?;
        if !shape.contains(&0) {
            return Ok(());
        }
        for dim in dims {
            shape[*dim] = 1;
        }
        self.check_memory(&shape, self.dtype(x)?)
    }

    fn with_shape(&self, x: &Self::Tensor, shape: &[usize]) -> Result<Self::Tensor> {
        check_dimensions(shape.len())?;
        check_empty(shape)?;
        self.primitive(Primitive::Reshape(shape.to_vec()), &[x])
    }

    /// `length` elements along a dimension.
    fn slice(&self, x: &Self::Tensor, dim: usize, start: usize, length: usize) -> Result<Self::Tensor> {
        self.primitive(Primitive::Slice { dim, start, length, step: 1 }, &[x])
    }

    /// `count` parts of one size along a dimension, which is a multiple of it.
    fn split(&self, x: &Self::Tensor, dim: usize, count: usize) -> Result<Vec<Self::Tensor>> {
        let size = self.shape(x)?[dim] / count;
        self.apply(&Primitive::Split { dim, sizes: vec![size; count] }, &[x])
    }

    /// Two dimensions exchanged.
    fn transpose(&self, x: &Self::Tensor, a: usize, b: usize) -> Result<Self::Tensor> {
        let mut dims: Vec<usize> = (0..self.shape(x)?.len()).collect();
        if a.max(b) < dims.len() {
            dims.swap(a, b);
        }
        self.primitive(Primitive::Permute(dims), &[x])
    }

    /// The shape that tensors broadcast to, if there is memory for it.
    ///
    /// # Errors
    /// [`Code::Shape`], which states every shape.
    fn broadcast(&self, tensors: &[&Self::Tensor]) -> Result<Vec<usize>> {
        let mut shapes = Vec::new();
        for tensor in tensors {
            shapes.push(self.shape(tensor)?);
        }
        let shape = broadcast_shape(&shapes)?;
        if !shapes.contains(&shape) {
            self.check_memory(&shape, self.dtype(tensors[tensors.len() - 1])?)?;
        }
        Ok(shape)
    }

    /// Every dimension of a tensor, or the given ones: distinct and ascending.
    fn dims(&self, x: &Self::Tensor, given: Option<&[i64]>) -> Result<Vec<usize>> {
        let shape = self.shape(x)?;
        let Some(given) = given else { return Ok((0..shape.len()).collect()) };
        let mut dims = Vec::new();
        for dim in given {
            let found = dim_of(&shape, *dim)?;
            if dims.contains(&found) {
                return Err(Error::new(Code::Argument, format_args!("dimension {dim} is given twice")));
            }
            if !shape.is_empty() {
                let before = dims.iter().take_while(|dim| **dim < found).count();
                dims.insert(before, found);
            }
        }
        Ok(dims)
    }

    /// The dimension of a tensor by its number, which may be negative. 0 for a tensor without dimensions.
    fn dim(&self, x: &Self::Tensor, given: i64) -> Result<usize> {
        dim_of(&self.shape(x)?, given)
    }
}

impl<E: Engine> TensorMath for E {}

/// The index of a dimension; negative numbers count from the last.
pub(crate) fn dim_of(shape: &[usize], given: i64) -> Result<usize> {
    let rank = shape.len().max(1) as i64;
    if (-rank..rank).contains(&given) {
        return Ok((if given < 0 { given + rank } else { given }) as usize);
    }
    let last = rank - 1;
    Err(Error::new(
        Code::Shape,
        format_args!("expected a dimension from -{rank} to {last}, given {given} of a tensor of shape {shape:?}"),
    ))
}

fn broadcast_shape(shapes: &[Vec<usize>]) -> Result<Vec<usize>> {
    let rank = shapes.iter().map(Vec::len).max().unwrap_or(0);
    let mut shape = vec![1; rank];
    for given in shapes {
        for (own, size) in shape[rank - given.len()..].iter_mut().zip(given) {
            if *size == *own || *size == 1 {
                continue;
            }
            if *own != 1 {
                let given: Vec<_> = shapes.iter().map(|shape| format!("{shape:?}")).collect();
                let message = format_args!("expected shapes that broadcast, given {}", joined(&given, " and "));
                return Err(Error::new(Code::Shape, message));
            }
            *own = *size;
        }
    }
    Ok(shape)
}

/// An error about a dtype.
pub(crate) fn expected_dtype(expected: &str, given: Dtype) -> Error {
    Error::new(Code::Dtype, format_args!("expected {expected}, given {}", given.name()))
}
