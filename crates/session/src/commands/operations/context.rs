//! Operations of the session on tensors: each checks shapes, promotes dtypes, and applies one primitive or several.

use stepwell_optim::Result;

use crate::commands::operations::operand::{Operand, common, shared};
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::primitives::Primitive;
use crate::mathematics::calculation::{Calculation, Node};
use crate::mathematics::tensor_math::{TensorMath, expected_dtype};
use crate::random::Random;
use crate::values::device::Device;
use crate::values::dtype::Dtype;

/// The engine and the random numbers of a call, and the device of its tensors.
pub(crate) struct Context<'a, E: Engine> {
    pub(crate) engine: &'a E,
    pub(crate) random: &'a mut Random,
    pub(crate) device: Device,
}

impl<E: Engine> Context<'_, E> {
    /// The output of a primitive, as the result of a call.
    pub(crate) fn one(&self, primitive: Primitive, inputs: &[&E::Tensor]) -> Result<Output<E>> {
        self.engine.primitive(primitive, inputs).map(Output::One)
    }

    /// The result of a calculation of one tensor.
    pub(crate) fn calculated(&self, calculate: &dyn Fn(&Calculation<'_, E>) -> Result<Node>) -> Result<Output<E>> {
        let c = Calculation::new(self.engine);
        let node = calculate(&c)?;
        c.result(node).map(Output::One)
    }

    /// The tensor of an operand, with its own dtype; plain numbers become `float`.
    pub(crate) fn tensor(&self, operand: &Operand<E>) -> Result<E::Tensor> {
        operand.tensor(self.engine, operand.dtype(self.engine)?, self.device)
    }

    /// The tensor of an operand, converted to `float` unless it is of floating point.
    pub(crate) fn floating(&self, operand: &Operand<E>) -> Result<E::Tensor> {
        let x = self.tensor(operand)?;
        let dtype = self.engine.dtype(&x)?;
        self.engine.cast(x, if dtype.is_floating() { dtype } else { Dtype::Float })
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
        self.engine.cast(x, if dtype == Dtype::Bool { Dtype::Long } else { dtype })
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
        self.engine.cast(x, Dtype::Bool)
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
        if let Some(dtype) = shared(self.engine, operands)?
            && (dtype.is_floating() || !floating)
        {
            let mut tensors = Vec::with_capacity(operands.len());
            for operand in operands {
                tensors.push(operand.tensor(self.engine, dtype, self.device)?);
            }
            return Ok(tensors);
        }
        let mut dtype = common(self.engine, operands)?;
        if floating && !dtype.is_floating() {
            dtype = Dtype::Float;
        }
        let mut tensors = Vec::new();
        for operand in operands {
            tensors.push(self.engine.cast(operand.tensor(self.engine, dtype, self.device)?, dtype)?);
        }
        Ok(tensors)
    }
}
