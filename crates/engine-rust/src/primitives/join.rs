//! Tensors joined along a dimension, and one tensor split.

use stepwell_optim::{Result, Results, Shared};
use stepwell_session::{Data, Primitive};

use crate::autograd::backward::{BackwardContext, ErasedBackward, Give};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::elements::element::Element;
use crate::error::internal_error;
use crate::memory::{MemoryBudget, element_count};
use crate::primitives::layout::Lanes;
use crate::primitives::map::with_elements;
use crate::primitives::strided::strided_copy;
use crate::primitives::view::view;

/// The rows of each input: `outer` rows of this length. A row of the output is one of each input in turn.
struct Join {
    outer: usize,
    rows: Vec<usize>,
}

pub(crate) fn cat(autograd: &Autograd, inputs: &[&Tensor], dim: usize) -> Result<Vec<Tensor>> {
    let shapes = inputs.iter().map(|input| input.shape()).collect::<Vec<_>>();
    let mut shape = shapes.first().map(|shape| shape.to_vec()).unwrap_or_default();
    let fits = |other: &Shared<[usize]>| {
        other.len() == shape.len() && other.iter().zip(&shape).enumerate().all(|(i, (a, b))| i == dim || a == b)
    };
    if dim >= shape.len() || !shapes.iter().all(fits) {
        return Err(internal_error("shapes that cannot be joined"));
    }
    let total = shapes.iter().try_fold(0usize, |total, shape| total.checked_add(shape[dim]));
    shape[dim] = total.unwrap_or(usize::MAX);
    let len = element_count(&shape)?;
    let lanes = shapes.iter().map(|shape| Lanes::along(shape, dim));
    let join = Join {
        outer: lanes.clone().next().map_or(0, |lanes| lanes.outer),
        rows: lanes.map(|l| l.len * l.inner).collect(),
    };
    let storages = inputs.iter().map(|input| input.storage()).collect::<Vec<_>>();
    let buffers = storages.iter().map(|storage| storage.read()).values()?;
    let buffers = buffers.iter().map(|buffer| &**buffer).collect::<Vec<_>>();
    let buffer = match buffers.first() {
        Some(first) => with_elements!(first, like => join.forward(&autograd.budget, &buffers, len, like))?,
        None => return Err(internal_error("no tensors to join")),
    };
    let operands = inputs.iter().map(|input| Some(*input)).collect::<Vec<_>>();
    Ok(vec![autograd.record_output(&shape, Storage::new(buffer), &operands, join, Vec::new())?])
}

impl Join {
    /// The last argument has the type of the elements.
    #[inline(never)]
    fn forward<T: Element>(
        &self,
        budget: &Shared<MemoryBudget>,
        inputs: &[&Buffer],
        len: usize,
        _: &[T],
    ) -> Result<Buffer> {
        let mut out = budget.zeros::<T>(len)?;
        let (width, mut start) = (self.rows.iter().sum::<usize>(), 0);
        for (input, row) in inputs.iter().zip(&self.rows) {
            let input = T::slice(input)?;
            for outer in 0..self.outer {
                out[outer * width + start..][..*row].copy_from_slice(&input[outer * row..][..*row]);
            }
            start += row;
        }
        Ok(T::into_buffer(out))
    }
}

impl ErasedBackward for Join {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(Some(g)) = gradients.first() else { return Err(internal_error("no gradient")) };
        let (width, mut start) = (self.rows.iter().sum::<usize>(), 0);
        for (input, row) in self.rows.iter().enumerate() {
            if context.needs_input_grad(input) {
                let gradient = with_elements!(g, g => {
                    let mut out = context.budget.zeros(self.outer * row)?;
                    for outer in 0..self.outer {
                        out[outer * row..][..*row].copy_from_slice(&g[outer * width + start..][..*row]);
                    }
                    Element::into_buffer(out)
                });
                give(input, gradient)?;
            }
            start += row;
        }
        Ok(())
    }
}

/// The parts of a tensor, joined by the backward pass.
struct Split(Join);

pub(crate) fn split(autograd: &Autograd, x: &Tensor, dim: usize, sizes: &[usize]) -> Result<Vec<Tensor>> {
    let (shape, storage) = (x.shape(), x.storage());
    if sizes.is_empty() || shape.get(dim) != Some(&sizes.iter().sum()) {
        return Err(internal_error("parts that are not a whole"));
    }
    let (buffer, lanes) = (storage.read()?, Lanes::along(&shape, dim));
    let (mut start, mut shapes, mut parts) = (0, Vec::new(), Vec::new());
    for length in sizes {
        let part = view(&Primitive::Slice { dim, start, length: *length, step: 1 }, &shape);
        let part = part.ok_or_else(|| internal_error("a part beyond its tensor"))?;
        parts.push(Storage::new(strided_copy(&autograd.budget, &buffer, &part.shape, &part.strides, part.offset)?));
        shapes.push(part.shape);
        start += length;
    }
    drop(buffer);
    let rows = sizes.iter().map(|size| size * lanes.inner).collect();
    let outputs: Vec<_> = shapes.iter().map(Vec::as_slice).zip(parts).collect();
    autograd.record_outputs(&outputs, &[Some(x)], Box::new(Split(Join { outer: lanes.outer, rows })), Vec::new())
}

impl ErasedBackward for Split {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(dtype) = gradients.iter().flatten().map(Buffer::dtype).next() else {
            return Err(internal_error("no gradient"));
        };
        let Self(Join { outer, rows }) = self;
        let zero = Data::Double(vec![0.0]).cast(dtype)?;
        for (gradient, row) in gradients.iter_mut().zip(rows) {
            if gradient.is_none() {
                *gradient = Some(Buffer::full(context.budget, &zero, outer * row)?);
            }
        }
        let parts: Vec<_> = gradients.iter().flatten().collect();
        let len = outer * rows.iter().sum::<usize>();
        let Some(first) = parts.first() else { return Err(internal_error("no gradient")) };
        give(0, with_elements!(first, like => self.0.forward(context.budget, &parts, len, like))?)
    }
}
