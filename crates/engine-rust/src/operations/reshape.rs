//! The elements of a tensor in another shape.

use stepwell_optim::{Result, Shared};

use crate::autograd::backward::{Backward, BackwardContext, InputGradients};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::Real;
use crate::error::engine_error;
use crate::memory::{CountedVec, element_count};

struct Reshape;

pub(crate) fn reshape(autograd: &Autograd, input: &Tensor, shape: &[usize]) -> Result<Tensor> {
    if element_count(shape)? != input.len() {
        return Err(engine_error(format!("shape {shape:?} is invalid for input of size {}", input.len())));
    }
    // Both tensors share the storage, as in PyTorch: a write to one changes both.
    autograd.record_output(shape, Shared::clone(&input.storage()), &[Some(input)], Reshape, Vec::new())
}

/// A copy of a tensor in the graph.
pub(crate) fn copy(autograd: &Autograd, input: &Tensor) -> Result<Tensor> {
    let elements = input.storage().read()?.convert(&autograd.budget, input.dtype())?;
    autograd.record_output(&input.shape(), Storage::new(elements), &[Some(input)], Reshape, Vec::new())
}

impl Backward for Reshape {
    fn backward<T: Real>(&self, _: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>> {
        Ok(vec![Some(gradient)])
    }
}
