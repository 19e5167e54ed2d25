//! Reductions over dimensions, and cumulative functions.

use stepwell_optim::{Code, Error, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Cumulative, Primitive, Reduce, Unary};
use crate::mathematics::calculation::calculated;
use crate::mathematics::tensor_math::TensorMath;
use crate::values::data::Data;

operations! { E,
    /// The sum over all elements or over dimensions. Booleans are counted.
    "sum" (x: Tensor, dim: Dims = null, keepdim: Flag = false) gradient 1 => |cx, given| {
        let x = cx.counted(given.operand(0)?)?;
        reduced(cx, given, Reduce::Sum, &x)
    };
    /// The mean over all elements or over dimensions.
    "mean" (x: Tensor, dim: Dims = null, keepdim: Flag = false) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        reduced(cx, given, Reduce::Mean, &x)
    };
    /// The product over all elements or over dimensions.
    "prod" (x: Tensor, dim: Dims = null, keepdim: Flag = false) gradient 1 => |cx, given| {
        let x = cx.counted(given.operand(0)?)?;
        reduced(cx, given, Reduce::Prod, &x)
    };
    /// The largest element over dimensions. Equal ones share the gradient.
    "amax" (x: Tensor, dim: Dims = null, keepdim: Flag = false) gradient 1 => |cx, given| extreme(cx, given, Reduce::Amax);
    /// The smallest element over dimensions. Equal ones share the gradient.
    "amin" (x: Tensor, dim: Dims = null, keepdim: Flag = false) gradient 1 => |cx, given| extreme(cx, given, Reduce::Amin);
    /// The smallest and the largest element over dimensions.
    "aminmax" (x: Tensor, dim: Dims = null, keepdim: Flag = false) gradient 2 => |cx, given| {
        match (extreme(cx, given, Reduce::Amin)?, extreme(cx, given, Reduce::Amax)?) {
            (Output::One(least), Output::One(most)) => Ok(Output::Several(vec![least, most])),
            (other, _) => Ok(other),
        }
    };
    /// The largest elements along a dimension, and their indices. The gradient goes to the first of equal ones.
    "max" (x: Tensor, dim: Dim, keepdim: Flag = false) gradient 2 => |cx, given| located(cx, given, true);
    /// The smallest elements along a dimension, and their indices. The gradient goes to the first of equal ones.
    "min" (x: Tensor, dim: Dim, keepdim: Flag = false) gradient 2 => |cx, given| located(cx, given, false);
    /// The index of the first largest element, of all or along a dimension.
    "argmax" (x: Tensor, dim: Dim = null, keepdim: Flag = false) no_gradient 1 => |cx, given| index(cx, given, true);
    /// The index of the first smallest element, of all or along a dimension.
    "argmin" (x: Tensor, dim: Dim = null, keepdim: Flag = false) no_gradient 1 => |cx, given| index(cx, given, false);
    /// Whether all elements differ from 0.
    "all" (x: Tensor, dim: Dims = null, keepdim: Flag = false) no_gradient 1 => |cx, given| {
        let x = cx.flags(given.operand(0)?)?;
        reduced(cx, given, Reduce::All, &x)
    };
    /// Whether one element differs from 0.
    "any" (x: Tensor, dim: Dims = null, keepdim: Flag = false) no_gradient 1 => |cx, given| {
        let x = cx.flags(given.operand(0)?)?;
        reduced(cx, given, Reduce::Any, &x)
    };
    /// The sum without elements that are NaN.
    "nansum" (x: Tensor, dim: Dims = null, keepdim: Flag = false) gradient 1 => |cx, given| {
        let x = cx.counted(given.operand(0)?)?;
        let x = calculated(cx.engine, &|c| {
            let x = c.input(&x);
            c.number_where(c.compare(Compare::Ne, x, x), 0.0, x)
        })?;
        reduced(cx, given, Reduce::Sum, &x)
    };
    /// The mean without elements that are NaN.
    "nanmean" (x: Tensor, dim: Dims = null, keepdim: Flag = false) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let dims = cx.engine.dims(&x, given.dims(1))?;
        cx.calculated(&|c| {
            let x = c.input(&x);
            let is_nan = c.compare(Compare::Ne, x, x);
            let known = c.with_dtype_of(c.unary(Unary::Not, is_nan), x);
            let x = c.number_where(is_nan, 0.0, x);
            let sum = c.reduce(Reduce::Sum, x, &dims, given.flag(2));
            Ok(c.binary(Binary::Div, sum, c.reduce(Reduce::Sum, known, &dims, given.flag(2))))
        })
    };
    /// The logarithm of the sum of exponentials.
    "logsumexp" (x: Tensor, dim: Dims, keepdim: Flag = false) gradient 1 => |cx, given| {
        let x = cx.floating(given.operand(0)?)?;
        let dims = cx.engine.dims(&x, given.dims(1))?;
        cx.engine.check_reduced(&x, &dims)?;
        cx.one(Primitive::LogSumExp { dims, keepdim: given.flag(2) }, &[&x])
    };
    /// Sums up to each element along a dimension.
    "cumsum" (x: Tensor, dim: Dim) gradient 1 => |cx, given| cumulative(cx, given, Cumulative::Sum);
    /// Products up to each element along a dimension.
    "cumprod" (x: Tensor, dim: Dim) gradient 1 => |cx, given| cumulative(cx, given, Cumulative::Prod);
}

fn reduced<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, reduction: Reduce, x: &E::Tensor) -> Result<Output<E>> {
    let is_logical = matches!(reduction, Reduce::All | Reduce::Any);
    // No dimensions at all are all of them, except for these two, of which PyTorch reduces none.
    let dims = cx.engine.dims(x, if is_logical { given.list(1) } else { given.dims(1) })?;
    cx.engine.reduce(reduction, x, &dims, given.flag(2)).map(Output::One)
}

/// Fails if a dimension that is searched has no elements.
fn not_empty<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, dims: &[usize]) -> Result<()> {
    let shape = cx.engine.shape(x)?;
    if dims.iter().any(|dim| shape.get(*dim) == Some(&0)) {
        return Err(Error::new(
            Code::Shape,
            format_args!("expected at least one element, given a tensor of shape {shape:?}"),
        ));
    }
    Ok(())
}

fn extreme<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, reduction: Reduce) -> Result<Output<E>> {
    let x = cx.tensor(given.operand(0)?)?;
    not_empty(cx, &x, &cx.engine.dims(&x, given.dims(1))?)?;
    reduced(cx, given, reduction, &x)
}

fn located<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, largest: bool) -> Result<Output<E>> {
    let x = cx.numeric(given.operand(0)?)?;
    let dim = cx.engine.dim(&x, given.whole(1)?)?;
    not_empty(cx, &x, &[dim])?;
    let rank = cx.engine.shape(&x)?.len();
    if rank == 0 {
        let zero = cx.engine.tensor(&Data::Long(vec![0]), &[], cx.engine.device(&x)?)?;
        return Ok(Output::Several(vec![cx.engine.with_shape(&x, &[])?, zero]));
    }
    let indices = cx.engine.primitive(Primitive::ArgReduce { largest, dim, keepdim: true }, &[&x])?;
    let values = cx.engine.primitive(Primitive::Gather(dim), &[&x, &indices])?;
    if given.flag(2) {
        return Ok(Output::Several(vec![values, indices]));
    }
    let mut shape = cx.engine.shape(&x)?;
    shape.remove(dim);
    Ok(Output::Several(vec![cx.engine.with_shape(&values, &shape)?, cx.engine.with_shape(&indices, &shape)?]))
}

fn index<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, largest: bool) -> Result<Output<E>> {
    let x = cx.numeric(given.operand(0)?)?;
    let shape = cx.engine.shape(&x)?;
    let (x, dim) = match given.whole_or_none(1) {
        Some(dim) => (x.clone(), cx.engine.dim(&x, dim)?),
        None => (cx.engine.with_shape(&x, &[shape.iter().product()])?, 0),
    };
    not_empty(cx, &x, &[dim])?;
    if cx.engine.shape(&x)?.is_empty() {
        return cx.engine.tensor(&Data::Long(vec![0]), &[], cx.engine.device(&x)?).map(Output::One);
    }
    let keepdim = given.flag(2);
    let found = cx.engine.primitive(Primitive::ArgReduce { largest, dim, keepdim }, &[&x])?;
    if keepdim && given.whole_or_none(1).is_none() {
        return cx.engine.with_shape(&found, &vec![1; shape.len()]).map(Output::One);
    }
    Ok(Output::One(found))
}

fn cumulative<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, kind: Cumulative) -> Result<Output<E>> {
    let x = cx.counted(given.operand(0)?)?;
    cx.one(Primitive::Cumulative { kind, dim: cx.engine.dim(&x, given.whole(1)?)? }, &[&x])
}
