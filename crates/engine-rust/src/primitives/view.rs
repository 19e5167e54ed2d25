//! Elements in another shape or order. A reshaped tensor shares its storage. Other results are copies: they differ from views only
//! under a later write, and the session writes to no output.

use stepwell_optim::{Result, Shared};
use stepwell_session::{Dtype, Primitive};

use crate::autograd::backward::{BackwardContext, ErasedBackward, Give};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::error::internal_error;
use crate::primitives::layout::{repeated, row_major};
use crate::primitives::reduce::sum_to;
use crate::primitives::strided::{strided_copy, strided_spread};

/// The positions of a view's elements in the input.
pub(crate) struct View {
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<isize>,
    pub(crate) offset: isize,
    pub(crate) input_len: usize,
}

/// The view that a primitive makes of a tensor of this shape; `None` for primitives that make no view.
pub(crate) fn view(primitive: &Primitive, input: &[usize]) -> Option<View> {
    let mut strides = row_major(input);
    let mut shape = input.to_vec();
    let mut offset = 0;
    match primitive {
        Primitive::Permute(dims) => {
            shape = dims.iter().map(|dim| input.get(*dim).copied()).collect::<Option<_>>()?;
            strides = dims.iter().map(|dim| strides[*dim]).collect();
        }
        Primitive::Slice { dim, start, length, step } => {
            let size = *input.get(*dim)?;
            if *length > 0 && length.checked_sub(1)?.checked_mul(*step)?.checked_add(*start)? >= size {
                return None;
            }
            offset = if *length > 0 { *start as isize * strides[*dim] } else { 0 };
            shape[*dim] = *length;
            strides[*dim] = strides[*dim].checked_mul(isize::try_from(*step).ok()?)?;
        }
        Primitive::Flip(dims) => {
            for dim in dims {
                offset += (*input.get(*dim)? as isize - 1) * strides[*dim];
                strides[*dim] = -strides[*dim];
            }
        }
        _ => return None,
    }
    Some(View { shape, strides, offset, input_len: input.iter().product() })
}

/// Applies [`Primitive::Permute`], [`Primitive::Slice`] or [`Primitive::Flip`].
pub(crate) fn rearrange(autograd: &Autograd, x: &Tensor, primitive: &Primitive) -> Result<Vec<Tensor>> {
    let view = view(primitive, &x.shape()).ok_or_else(|| internal_error("a view beyond its tensor"))?;
    let buffer = strided_copy(&autograd.budget, &*x.storage().read()?, &view.shape, &view.strides, view.offset)?;
    let shape = view.shape.clone();
    Ok(vec![autograd.record_output(&shape, Storage::new(buffer), &[Some(x)], view, Vec::new())?])
}

impl ErasedBackward for View {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(Some(g)) = gradients.first() else { return Err(internal_error("no gradient")) };
        let Self { shape, strides, offset, input_len } = self;
        give(0, strided_spread(context.budget, g, shape, strides, *offset, *input_len)?)
    }
}

struct Expand {
    input: Shared<[usize]>,
    shape: Vec<usize>,
}

pub(crate) fn expand(autograd: &Autograd, x: &Tensor, shape: &[usize]) -> Result<Vec<Tensor>> {
    let input = x.shape();
    if input.len() > shape.len() {
        return Err(internal_error("a shape to which the tensor cannot be broadcast"));
    }
    let strides = repeated(&input, shape);
    let buffer = strided_copy(&autograd.budget, &*x.storage().read()?, shape, &strides, 0)?;
    let backward = Expand { input, shape: shape.to_vec() };
    Ok(vec![autograd.record_output(shape, Storage::new(buffer), &[Some(x)], backward, Vec::new())?])
}

impl ErasedBackward for Expand {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(Some(g)) = gradients.first() else { return Err(internal_error("no gradient")) };
        give(0, sum_to(context.budget, g, &self.shape, &self.input)?)
    }
}

/// The backward of a conversion: the gradient in the dtype of the input.
struct Cast(Dtype);

pub(crate) fn cast(autograd: &Autograd, x: &Tensor, dtype: Dtype) -> Result<Vec<Tensor>> {
    let buffer = x.storage().read()?.convert(&autograd.budget, dtype)?;
    let backward = Cast(x.dtype());
    Ok(vec![autograd.record_output(&x.shape(), Storage::new(buffer), &[Some(x)], backward, Vec::new())?])
}

impl ErasedBackward for Cast {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(Some(g)) = gradients.first() else { return Err(internal_error("no gradient")) };
        give(0, g.convert(context.budget, self.0)?)
    }
}
