//! Sorting and selecting by rank. Sorts are stable, and NaN is greater than every number.

use stepwell_optim::{Code, Error, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Primitive, Reduce, Unary};
use crate::mathematics::calculation::Calculation;
use crate::mathematics::tensor_math::TensorMath;
use crate::values::dtype::Dtype;

operations! { E,
    /// Elements sorted along a dimension, and their indices.
    "sort" (x: Tensor, dim: Dim = minus_one, descending: Flag = false) gradient 2 => |cx, given| {
        let x = cx.numeric(given.operand(0)?)?;
        let dim = cx.engine.dim(&x, given.whole(1)?)?;
        cx.engine.apply(&Primitive::Sort { dim, descending: given.flag(2) }, &[&x]).map(Output::Several)
    };
    /// The indices that sort a tensor along a dimension.
    "argsort" (x: Tensor, dim: Dim = minus_one, descending: Flag = false) no_gradient 1 => |cx, given| {
        let x = cx.numeric(given.operand(0)?)?;
        let dim = cx.engine.dim(&x, given.whole(1)?)?;
        sorted(cx, &x, dim, given.flag(2)).map(|[_, indices]| Output::One(indices))
    };
    /// Elements sorted along the first dimension.
    "msort" (x: Tensor) gradient 1 => |cx, given| {
        sorted(cx, &cx.numeric(given.operand(0)?)?, 0, false).map(|[values, _]| Output::One(values))
    };
    /// The k largest elements along a dimension in order, or the k smallest, and their indices.
    "topk" (x: Tensor, k: Whole, dim: Dim = minus_one, largest: Flag = true) gradient 2 => |cx, given| {
        let x = cx.numeric(given.operand(0)?)?;
        let (k, dim) = (given.size(1)?, cx.engine.dim(&x, given.whole(2)?)?);
        ranked(cx, &x, dim, given.flag(3), 0, k).map(Output::Several)
    };
    /// The k-th smallest elements along a dimension, counted from 1, and their indices.
    "kthvalue" (x: Tensor, k: Whole, dim: Dim = minus_one, keepdim: Flag = false) gradient 2 => |cx, given| {
        let x = cx.numeric(given.operand(0)?)?;
        let (k, dim) = (given.size(1)?, cx.engine.dim(&x, given.whole(2)?)?);
        let Some(before) = k.checked_sub(1) else {
            return Err(Error::new(Code::Argument, "expected k of at least 1, given 0"));
        };
        single(cx, &x, dim, before, given.flag(3))
    };
    /// The medians along a dimension, and their indices: the lower one of two. With NaN, NaN is the median.
    "median" (x: Tensor, dim: Dim = minus_one, keepdim: Flag = false) gradient 2 => |cx, given| middle(cx, given, false);
    /// As `median`, without elements that are NaN.
    "nanmedian" (x: Tensor, dim: Dim = minus_one, keepdim: Flag = false) gradient 2 => |cx, given| middle(cx, given, true);
}

/// The median; unless NaN is left out, the first NaN if there is one.
fn middle<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, without_nan: bool) -> Result<Output<E>> {
    let x = cx.numeric(given.operand(0)?)?;
    let (engine, mut shape) = (cx.engine, cx.engine.shape(&x)?);
    let dim = engine.dim(&x, given.whole(1)?)?;
    let length = shape.get(dim).copied().unwrap_or(1);
    if shape.is_empty() || length == 0 || !engine.dtype(&x)?.is_floating() {
        return single(cx, &x, dim, length.saturating_sub(1) / 2, given.flag(2));
    }
    // A sort puts NaN after all numbers.
    let c = Calculation::new(engine);
    let x = c.input(&x);
    let is_number = c.cast(c.compare(Compare::Eq, x, x), Dtype::Long);
    let count = c.reduce(Reduce::Sum, is_number, &[dim], true);
    let place = if without_nan {
        // Halves of whole numbers, rounded down; of no number at all the first place.
        let numbers = c.cast(c.with_number(Binary::Sub, count, 1.0), Dtype::Double);
        let half = c.unary(Unary::Floor, c.with_number(Binary::Div, numbers, 2.0));
        c.cast(c.with_number(Binary::Maximum, half, 0.0), Dtype::Long)
    } else {
        let is_whole = c.compare_number(Compare::Eq, count, length as f64);
        c.number_where(is_whole, ((length - 1) / 2) as f64, count)
    };
    if given.flag(2) {
        shape[dim] = 1;
    } else {
        shape.remove(dim);
    }
    let mut outputs = Vec::new();
    let values = c.primitive(Primitive::Sort { dim, descending: false }, &[x]);
    for output in [values, values.after(1)] {
        let found = c.primitive(Primitive::Gather(dim), &[output, place]);
        outputs.push(c.result(c.with_shape(found, &shape))?);
    }
    Ok(Output::Several(outputs))
}

pub(crate) fn sorted<E: Engine>(
    cx: &Context<'_, E>,
    x: &E::Tensor,
    dim: usize,
    descending: bool,
) -> Result<[E::Tensor; 2]> {
    let outputs = cx.engine.apply(&Primitive::Sort { dim, descending }, &[x])?;
    <[E::Tensor; 2]>::try_from(outputs).map_err(|_| Error::new(Code::Internal, "a sort without two outputs"))
}

/// `count` values from rank `start`, and their indices.
fn ranked<E: Engine>(
    cx: &Context<'_, E>,
    x: &E::Tensor,
    dim: usize,
    descending: bool,
    start: usize,
    count: usize,
) -> Result<Vec<E::Tensor>> {
    let shape = cx.engine.shape(x)?;
    let length = shape.get(dim).copied().unwrap_or(1);
    let last = start.saturating_add(count);
    if last > length {
        let message = format_args!("expected k of at most {length} for shape {shape:?}, given {last}");
        return Err(Error::new(Code::Shape, message));
    }
    let mut outputs = Vec::new();
    for output in sorted(cx, x, dim, descending)? {
        outputs.push(if shape.is_empty() { output } else { cx.engine.slice(&output, dim, start, count)? });
    }
    Ok(outputs)
}

fn single<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, dim: usize, rank: usize, keepdim: bool) -> Result<Output<E>> {
    let mut shape = cx.engine.shape(x)?;
    let mut outputs = ranked(cx, x, dim, false, rank, 1)?;
    if !keepdim && !shape.is_empty() {
        shape.remove(dim);
        for output in &mut outputs {
            *output = cx.engine.with_shape(output, &shape)?;
        }
    }
    Ok(Output::Several(outputs))
}
