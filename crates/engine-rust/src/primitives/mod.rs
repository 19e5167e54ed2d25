//! The primitives of the session: one file a family, each a table of functions over loops that its functions share.

mod arithmetic;
mod binary;
mod choose;
mod convolution;
mod cumulative;
mod join;
mod layout;
mod map;
mod matmul;
mod pooling;
mod reduce;
mod select;
mod softmax;
mod sort;
mod special;
mod strided;
mod unary;
mod view;
mod window;

use stepwell_optim::Result;
use stepwell_session::Primitive;

use crate::autograd::graph::Autograd;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::error::internal_error;
use crate::operations::reshape::reshape;

/// The outputs of a primitive.
pub(crate) fn apply(autograd: &Autograd, primitive: &Primitive, inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
    match (primitive, inputs) {
        (Primitive::Cat(dim), inputs) => join::cat(autograd, inputs, *dim),
        (Primitive::Conv2d { window, groups }, inputs) => {
            convolution::convolution(autograd, inputs, window, *groups, None)
        }
        (Primitive::ConvTranspose2d { window, groups, size }, inputs) => {
            convolution::convolution(autograd, inputs, window, *groups, Some(*size))
        }
        (_, [x]) => apply_to_one(autograd, primitive, x),
        (Primitive::Binary(function), &[a, b]) => binary::binary(autograd, [a, b], *function),
        (Primitive::Compare(comparison), &[a, b]) => choose::compare(autograd, [a, b], *comparison),
        (Primitive::Where, &[condition, a, b]) => choose::choose(autograd, [condition, a, b]),
        (Primitive::MatMul, &[a, b]) => matmul::matmul(autograd, [a, b]),
        (Primitive::IndexSelect(dim), &[x, indices]) => select::index_select(autograd, [x, indices], *dim),
        (Primitive::Gather(dim), &[x, indices]) => select::gather(autograd, [x, indices], *dim),
        (Primitive::ScatterAdd(dim), &[x, indices, source]) => {
            select::scatter_add(autograd, [x, indices, source], *dim)
        }
        _ => Err(wrong_inputs()),
    }
}

fn apply_to_one(autograd: &Autograd, primitive: &Primitive, x: &Tensor) -> Result<Vec<Tensor>> {
    if let Primitive::Reduce { dims, .. } | Primitive::LogSumExp { dims, .. } = primitive
        && dims.iter().any(|dim| *dim >= x.shape().len())
    {
        return Err(internal_error("a dimension that the tensor does not have"));
    }
    // Without elements, there may be as many lanes as no loop ends over.
    if x.len() == 0 {
        match primitive {
            Primitive::Cumulative { .. } | Primitive::Softmax(_) | Primitive::LogSoftmax(_) => {
                return same(autograd, x);
            }
            Primitive::Sort { .. } => {
                let indices = autograd.leaf(&x.shape(), Buffer::Long(autograd.budget.zeros(0)?));
                return Ok(vec![reshape(autograd, x, &x.shape())?, indices]);
            }
            _ => {}
        }
    }
    match primitive {
        Primitive::Unary(function) => unary::unary(autograd, x, *function),
        Primitive::Reduce { dims, .. } if dims.is_empty() => same(autograd, x),
        Primitive::Reduce { reduction, dims, keepdim } => reduce::reduce(autograd, x, *reduction, dims, *keepdim),
        Primitive::ArgReduce { largest, dim, keepdim } => sort::arg_reduce(autograd, x, *largest, *dim, *keepdim),
        Primitive::Reshape(shape) => Ok(vec![reshape(autograd, x, shape)?]),
        Primitive::Permute(_) | Primitive::Slice { .. } | Primitive::Flip(_) => view::rearrange(autograd, x, primitive),
        Primitive::Split { dim, sizes } => join::split(autograd, x, *dim, sizes),
        Primitive::Expand(shape) => view::expand(autograd, x, shape),
        Primitive::Cumulative { kind, dim } => cumulative::cumulative(autograd, x, *kind, *dim),
        Primitive::Sort { dim, descending } => sort::sort(autograd, x, *dim, *descending),
        Primitive::Softmax(dim) => softmax::softmax(autograd, x, *dim, false),
        Primitive::LogSoftmax(dim) => softmax::softmax(autograd, x, *dim, true),
        Primitive::LogSumExp { dims, keepdim } => softmax::log_sum_exp(autograd, x, dims, *keepdim),
        Primitive::Pool2d(pooling) => pooling::pool2d(autograd, x, pooling),
        Primitive::Cast(dtype) if *dtype == x.dtype() => same(autograd, x),
        Primitive::Cast(dtype) => view::cast(autograd, x, *dtype),
        _ => Err(wrong_inputs()),
    }
}

/// The tensor itself, as an output of its own.
fn same(autograd: &Autograd, x: &Tensor) -> Result<Vec<Tensor>> {
    Ok(vec![reshape(autograd, x, &x.shape())?])
}

fn wrong_inputs() -> stepwell_optim::Error {
    internal_error("a primitive with a wrong number of inputs")
}
