//! A copy of rows along dimension 0, detached from the graph.

use stepwell_optim::{Result, Shared};

use crate::autograd::graph::Autograd;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::error::engine_error;
use crate::memory::{CountedVec, MemoryBudget, element_count};

pub(crate) fn select(autograd: &Autograd, tensor: &Tensor, indices: &[usize]) -> Result<Tensor> {
    let shape = tensor.shape();
    let Some((&rows, rest)) = shape.split_first() else {
        return Err(engine_error("rows can be selected from a tensor with dimensions only"));
    };
    if let Some(index) = indices.iter().find(|index| **index >= rows) {
        return Err(engine_error(format!("index {index} is out of range for {rows} rows")));
    }
    let width = element_count(rest)?;
    let shape = [&[indices.len()], rest].concat();
    let (len, storage) = (element_count(&shape)?, tensor.storage());
    let buffer = match &*storage.read()? {
        Buffer::Float(elements) => Buffer::Float(rows_of(&autograd.budget, elements, width, indices, len)?),
        Buffer::Double(elements) => Buffer::Double(rows_of(&autograd.budget, elements, width, indices, len)?),
        Buffer::Long(elements) => Buffer::Long(rows_of(&autograd.budget, elements, width, indices, len)?),
        Buffer::Bool(elements) => Buffer::Bool(rows_of(&autograd.budget, elements, width, indices, len)?),
    };
    Ok(autograd.leaf(&shape, buffer))
}

fn rows_of<T: Copy + Default>(
    budget: &Shared<MemoryBudget>,
    elements: &[T],
    width: usize,
    indices: &[usize],
    len: usize,
) -> Result<CountedVec<T>> {
    let mut out = budget.zeros(len)?;
    if width > 0 {
        for (out, index) in out.chunks_exact_mut(width).zip(indices) {
            out.copy_from_slice(&elements[index * width..][..width]);
        }
    }
    Ok(out)
}
