//! Operations of the session on tensors: each checks shapes, promotes dtypes, and applies one primitive or several.

use stepwell_optim::{Code, Error, Result};

use crate::commands::operations::operand::{Operand, common};
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Primitive, Reduce, Unary};
use crate::nn::context::checked_element_count;
use crate::random::Random;
use crate::values::data::Data;
use crate::values::device::Device;
use crate::values::dtype::Dtype;
use crate::values::numbers::{check_dimensions, check_empty};

/// The engine and the random numbers of a call.
pub(crate) struct Context<'a, E: Engine> {
    pub(crate) engine: &'a E,
    pub(crate) random: &'a mut Random,
}

impl<E: Engine> Context<'_, E> {
    /// The first output of a primitive.
    pub(crate) fn apply(&self, primitive: Primitive, inputs: &[&E::Tensor]) -> Result<E::Tensor> {
        self.engine.apply(&primitive, inputs)?.into_iter().next().ok_or_else(no_output)
    }

    /// The output of a primitive, as the result of a call.
    pub(crate) fn one(&self, primitive: Primitive, inputs: &[&E::Tensor]) -> Result<Output<E>> {
        self.apply(primitive, inputs).map(Output::One)
    }

    pub(crate) fn shape(&self, x: &E::Tensor) -> Result<Vec<usize>> {
        self.engine.shape(x)
    }

    /// The tensor of an operand, with its own dtype; plain numbers become `float`.
    pub(crate) fn tensor(&self, operand: &Operand<E>) -> Result<E::Tensor> {
        operand.tensor(self.engine, operand.dtype(self.engine)?, Device::Cpu)
    }

    /// The tensor of an operand, converted to `float` unless it is of floating point.
    pub(crate) fn floating(&self, operand: &Operand<E>) -> Result<E::Tensor> {
        let x = self.tensor(operand)?;
        let dtype = self.engine.dtype(&x)?;
        self.cast(x, if dtype.is_floating() { dtype } else { Dtype::Float })
    }

    /// The tensor of an operand, which must be of floating point.
    pub(crate) fn only_floating(&self, operand: &Operand<E>) -> Result<E::Tensor> {
        let x = self.tensor(operand)?;
        match self.engine.dtype(&x)? {
            dtype if dtype.is_floating() => Ok(x),
            dtype => Err(expected_dtype("a tensor of floating point", dtype)),
        }
    }

    /// The tensor of an operand; `bool` becomes `long`.
    pub(crate) fn counted(&self, operand: &Operand<E>) -> Result<E::Tensor> {
        let x = self.tensor(operand)?;
        let dtype = self.engine.dtype(&x)?;
        self.cast(x, if dtype == Dtype::Bool { Dtype::Long } else { dtype })
    }

    /// The tensor of an operand, except of `bool`.
    pub(crate) fn numeric(&self, operand: &Operand<E>) -> Result<E::Tensor> {
        let x = self.tensor(operand)?;
        match self.engine.dtype(&x)? {
            Dtype::Bool => Err(expected_dtype("a tensor of numbers", Dtype::Bool)),
            _ => Ok(x),
        }
    }

    /// The tensor of an operand as booleans: whether elements differ from 0.
    pub(crate) fn flags(&self, operand: &Operand<E>) -> Result<E::Tensor> {
        let x = self.tensor(operand)?;
        self.cast(x, Dtype::Bool)
    }

    /// Indices: a `long` tensor, or whole plain numbers, on the device of `x`.
    pub(crate) fn indices(&self, operand: &Operand<E>, x: &E::Tensor) -> Result<E::Tensor> {
        let indices = operand.tensor(self.engine, Dtype::Long, self.engine.device(x)?)?;
        match self.engine.dtype(&indices)? {
            Dtype::Long => Ok(indices),
            dtype => Err(expected_dtype("indices of dtype long", dtype)),
        }
    }

    /// Operands of one common dtype, which `floating` raises to one of floating point.
    pub(crate) fn promoted(&self, operands: &[&Operand<E>], floating: bool) -> Result<Vec<E::Tensor>> {
        let (mut dtype, device) = common(self.engine, operands)?;
        if floating && !dtype.is_floating() {
            dtype = Dtype::Float;
        }
        let mut tensors = Vec::new();
        for operand in operands {
            tensors.push(self.cast(operand.tensor(self.engine, dtype, device)?, dtype)?);
        }
        Ok(tensors)
    }

    /// The tensor as another dtype, with its gradient; the tensor itself if it has it.
    pub(crate) fn cast(&self, x: E::Tensor, dtype: Dtype) -> Result<E::Tensor> {
        if self.engine.dtype(&x)? == dtype {
            return Ok(x);
        }
        self.check_memory(&self.shape(&x)?, dtype)?;
        self.apply(Primitive::Cast(dtype), &[&x])
    }

    /// Fails if there is no memory for a tensor.
    pub(crate) fn check_memory(&self, shape: &[usize], dtype: Dtype) -> Result<()> {
        checked_element_count(self.engine, shape, dtype).map(drop)
    }

    /// A number without dimensions, of the dtype and on the device of `x`.
    pub(crate) fn number_like(&self, x: &E::Tensor, number: f64) -> Result<E::Tensor> {
        let data = Data::Double(vec![number]).cast(self.engine.dtype(x)?)?;
        self.engine.tensor(&data, &[], self.engine.device(x)?)
    }

    pub(crate) fn unary(&self, function: Unary, x: &E::Tensor) -> Result<E::Tensor> {
        self.apply(Primitive::Unary(function), &[x])
    }

    /// A function of two tensors of one dtype. Fails unless their shapes broadcast.
    pub(crate) fn binary(&self, function: Binary, a: &E::Tensor, b: &E::Tensor) -> Result<E::Tensor> {
        self.broadcast(&[a, b])?;
        self.apply(Primitive::Binary(function), &[a, b])
    }

    /// A function of a tensor and a number.
    pub(crate) fn with_number(&self, function: Binary, x: &E::Tensor, number: f64) -> Result<E::Tensor> {
        self.apply(Primitive::Binary(function), &[x, &self.number_like(x, number)?])
    }

    pub(crate) fn compare(&self, comparison: Compare, a: &E::Tensor, b: &E::Tensor) -> Result<E::Tensor> {
        self.broadcast(&[a, b])?;
        self.apply(Primitive::Compare(comparison), &[a, b])
    }

    pub(crate) fn compare_number(&self, comparison: Compare, x: &E::Tensor, number: f64) -> Result<E::Tensor> {
        self.apply(Primitive::Compare(comparison), &[x, &self.number_like(x, number)?])
    }

    /// `a` where the condition is true, else `b`.
    pub(crate) fn choose(&self, condition: &E::Tensor, a: &E::Tensor, b: &E::Tensor) -> Result<E::Tensor> {
        self.broadcast(&[condition, a, b])?;
        self.apply(Primitive::Where, &[condition, a, b])
    }

    pub(crate) fn reduce(&self, reduction: Reduce, x: &E::Tensor, dims: &[usize], keepdim: bool) -> Result<E::Tensor> {
        self.check_reduced(x, dims)?;
        self.apply(Primitive::Reduce { reduction, dims: dims.to_vec(), keepdim }, &[x])
    }

    /// Fails if there is no memory for a tensor after a reduction. It may be larger than one without elements before.
    pub(crate) fn check_reduced(&self, x: &E::Tensor, dims: &[usize]) -> Result<()> {
        let mut shape = self.shape(x)?;
        if !shape.contains(&0) {
            return Ok(());
        }
        for dim in dims {
            shape[*dim] = 1;
        }
        self.check_memory(&shape, self.engine.dtype(x)?)
    }

    pub(crate) fn reshape(&self, x: &E::Tensor, shape: &[usize]) -> Result<E::Tensor> {
        check_dimensions(shape.len())?;
        check_empty(shape)?;
        self.apply(Primitive::Reshape(shape.to_vec()), &[x])
    }

    /// `length` elements along a dimension.
    pub(crate) fn slice(&self, x: &E::Tensor, dim: usize, start: usize, length: usize) -> Result<E::Tensor> {
        self.apply(Primitive::Slice { dim, start, length, step: 1 }, &[x])
    }

    /// Two dimensions exchanged.
    pub(crate) fn transpose(&self, x: &E::Tensor, a: usize, b: usize) -> Result<E::Tensor> {
        let mut dims: Vec<usize> = (0..self.shape(x)?.len()).collect();
        if a.max(b) < dims.len() {
            dims.swap(a, b);
        }
        self.apply(Primitive::Permute(dims), &[x])
    }

    /// The shape that tensors broadcast to, if there is memory for it.
    ///
    /// # Errors
    /// [`Code::Shape`], which states every shape.
    pub(crate) fn broadcast(&self, tensors: &[&E::Tensor]) -> Result<Vec<usize>> {
        let mut shapes = Vec::new();
        for tensor in tensors {
            shapes.push(self.shape(tensor)?);
        }
        let shape = broadcast_shape(&shapes)?;
        if !shapes.contains(&shape) {
            self.check_memory(&shape, self.engine.dtype(tensors[tensors.len() - 1])?)?;
        }
        Ok(shape)
    }

    /// Every dimension of a tensor, or the given ones: distinct and ascending.
    pub(crate) fn dims(&self, x: &E::Tensor, given: Option<&[i64]>) -> Result<Vec<usize>> {
        let shape = self.shape(x)?;
        let Some(given) = given else { return Ok((0..shape.len()).collect()) };
        let mut dims = Vec::new();
        for dim in given {
            let found = dim_of(&shape, *dim)?;
            if dims.contains(&found) {
                return Err(Error::new(Code::Argument, format!("dimension {dim} is given twice")));
            }
            if !shape.is_empty() {
                dims.push(found);
            }
        }
        dims.sort_unstable();
        Ok(dims)
    }

    /// The dimension of a tensor by its number, which may be negative. 0 for a tensor without dimensions.
    pub(crate) fn dim(&self, x: &E::Tensor, given: i64) -> Result<usize> {
        dim_of(&self.shape(x)?, given)
    }
}

/// The index of a dimension; negative numbers count from the last.
pub(crate) fn dim_of(shape: &[usize], given: i64) -> Result<usize> {
    let rank = shape.len().max(1) as i64;
    if (-rank..rank).contains(&given) {
        return Ok((if given < 0 { given + rank } else { given }) as usize);
    }
    let last = rank - 1;
    Err(Error::new(
        Code::Shape,
        format!("expected a dimension from -{rank} to {last}, given {given} of a tensor of shape {shape:?}"),
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
                let message = format!("expected shapes that broadcast, given {}", given.join(" and "));
                return Err(Error::new(Code::Shape, message));
            }
            *own = *size;
        }
    }
    Ok(shape)
}

fn no_output() -> Error {
    Error::new(Code::Internal, "a primitive without an output")
}

/// An error about a dtype.
pub(crate) fn expected_dtype(expected: &str, given: Dtype) -> Error {
    Error::new(Code::Dtype, format!("expected {expected}, given {}", given.name()))
}
