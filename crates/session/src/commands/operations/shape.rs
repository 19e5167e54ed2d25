//! Shapes, joins, and parts of tensors.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::primitives::{Compare, Primitive};
use crate::mathematics::join;
use crate::mathematics::shape::{self as math, new_dim};
use crate::mathematics::tensor_math::{TensorMath, dim_of};
use crate::values::data::Data;

operations! { E,
    /// The elements in another shape; one size may be -1, which is computed.
    "reshape" (x: Tensor, shape: Sizes) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        math::reshape(cx.engine, &x, given.list(1).unwrap_or_default()).map(Output::One)
    };
    /// Without dimensions of size 1: all of them, or the given ones.
    "squeeze" (x: Tensor, dim: Dims = null) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        math::squeeze(cx.engine, &x, given.list(1)).map(Output::One)
    };
    /// With a new dimension of size 1.
    "unsqueeze" (x: Tensor, dim: Dim) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        math::unsqueeze(cx.engine, &x, given.whole(1)?).map(Output::One)
    };
    /// Two dimensions exchanged, by default the last two.
    "transpose" (x: Tensor, a: Dim = minus_one, b: Dim = minus_two) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        math::transpose(cx.engine, &x, given.whole(1)?, given.whole(2)?).map(Output::One)
    };
    /// The dimensions in another order.
    "permute" (x: Tensor, dims: Sizes) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        math::permute(cx.engine, &x, given.list(1).unwrap_or_default()).map(Output::One)
    };
    /// Dimensions of size 1 repeated; a size of -1 stays.
    "expand" (x: Tensor, shape: Sizes) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        math::expand(cx.engine, &x, given.list(1).unwrap_or_default()).map(Output::One)
    };
    /// `length` elements along a dimension from `start`.
    "narrow" (x: Tensor, dim: Dim, start: Whole, length: Whole) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        let (dim, length, shape) = (cx.engine.dim(&x, given.whole(1)?)?, given.size(3)?, cx.engine.shape(&x)?);
        let size = shape.get(dim).copied().unwrap_or(0);
        let first = given.whole(2)?;
        let start = if first < 0 { first + size as i64 } else { first };
        match usize::try_from(start) {
            Ok(start) if !shape.is_empty() && start.checked_add(length).is_some_and(|end| end <= size) => {
                cx.engine.slice(&x, dim, start, length).map(Output::One)
            }
            _ => {
                let message = format_args!("expected a range within shape {shape:?}, given start {first} and length {length}");
                Err(Error::new(Code::Shape, message))
            }
        }
    };
    /// Tensors joined along a dimension.
    "cat" (tensors: Tensors, dim: Dim = 0.0) gradient 1 => |cx, given| {
        let tensors = joined(cx, given)?;
        join::cat(cx.engine, &tensors, given.whole(1)?).map(Output::One)
    };
    /// Tensors of one shape joined along a new dimension.
    "stack" (tensors: Tensors, dim: Dim = 0.0) gradient 1 => |cx, given| {
        let tensors = joined(cx, given)?;
        let shape = cx.engine.shape(&tensors[0])?;
        let dim = new_dim(&shape, given.whole(1)?)?;
        let mut single = shape.clone();
        single.insert(dim, 1);
        let mut parts = Vec::new();
        for tensor in &tensors {
            let other = cx.engine.shape(tensor)?;
            if other != shape {
                let message = format_args!("expected tensors of one shape, given {shape:?} and {other:?}");
                return Err(Error::new(Code::Shape, message));
            }
            parts.push(cx.engine.with_shape(tensor, &single)?);
        }
        single[dim] = parts.len();
        cx.engine.check_memory(&single, cx.engine.dtype(&tensors[0])?)?;
        cx.one(Primitive::Cat(dim), &parts.iter().collect::<Vec<_>>())
    };
    /// Reversed along dimensions.
    "flip" (x: Tensor, dims: Dims) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        cx.one(Primitive::Flip(cx.engine.dims(&x, given.list(1))?), &[&x])
    };
    /// Elements moved along a dimension; the last ones come first.
    "roll" (x: Tensor, shift: Whole, dim: Dim) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        let dim = cx.engine.dim(&x, given.whole(2)?)?;
        rolled(cx, &x, dim, given.whole(1)?).map(Output::One)
    };
    /// Dimensions from the first to the last joined to one.
    "flatten" (x: Tensor, first: Dim = 0.0, last: Dim = minus_one) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        let shape = cx.engine.shape(&x)?;
        let (first, last) = (dim_of(&shape, given.whole(1)?)?, dim_of(&shape, given.whole(2)?)?);
        if first > last {
            return Err(Error::new(Code::Shape, format_args!("expected dimensions in order, given {first} and {last}")));
        }
        let joined = shape.get(first..=last).map_or(1, |sizes| sizes.iter().product());
        let mut flat = shape.get(..first).unwrap_or_default().to_vec();
        flat.push(joined);
        flat.extend_from_slice(shape.get(last + 1..).unwrap_or_default());
        cx.engine.with_shape(&x, &flat).map(Output::One)
    };
    /// The lower triangle of matrices, up to a diagonal; 0 elsewhere.
    "tril" (x: Tensor, diagonal: Whole = 0.0) gradient 1 => |cx, given| triangle(cx, given, Compare::Le);
    /// The upper triangle of matrices, from a diagonal; 0 elsewhere.
    "triu" (x: Tensor, diagonal: Whole = 0.0) gradient 1 => |cx, given| triangle(cx, given, Compare::Ge);
    /// A copy cut off from the graph.
    "detach" (x: Tensor) no_gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        cx.engine.convert(&x, cx.engine.dtype(&x)?, cx.engine.device(&x)?).map(Output::One)
    };
}

/// Elements moved along a dimension; the last ones come first.
pub(crate) fn rolled<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, dim: usize, shift: i64) -> Result<E::Tensor> {
    let shape = cx.engine.shape(x)?;
    let size = shape.get(dim).copied().unwrap_or(0);
    if size == 0 {
        return cx.engine.with_shape(x, &shape);
    }
    let moved = shift.rem_euclid(size as i64) as usize;
    let (last, first) = (cx.engine.slice(x, dim, size - moved, moved)?, cx.engine.slice(x, dim, 0, size - moved)?);
    cx.engine.primitive(Primitive::Cat(dim), &[&last, &first])
}

/// The tensors of a list, of one dtype; at least one.
fn joined<E: Engine>(cx: &Context<'_, E>, given: &Given<E>) -> Result<Vec<E::Tensor>> {
    let operands = given.operands(0)?;
    if operands.is_empty() {
        return Err(Error::new(Code::Argument, "expected at least one tensor, given an empty list"));
    }
    cx.promoted(&operands.iter().collect::<Vec<_>>(), false)
}

/// Keeps elements whose column compares so with row + diagonal.
fn triangle<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, kept: Compare) -> Result<Output<E>> {
    let x = cx.tensor(given.operand(0)?)?;
    let shape = cx.engine.shape(&x)?;
    let [.., rows, columns] = shape[..] else {
        return Err(Error::new(
            Code::Shape,
            format_args!("expected matrices [*, rows, columns], given shape {shape:?}"),
        ));
    };
    let device = cx.engine.device(&x)?;
    let diagonal = given.whole(1)?;
    // A tensor without elements may have as many rows or columns as no memory holds.
    if shape.contains(&0) {
        return cx.engine.with_shape(&x, &shape).map(Output::One);
    }
    let rows_at = Data::Long(collected((0..rows).map(|row| (row as i64).saturating_add(diagonal)))?);
    let rows_at = cx.engine.tensor(&rows_at, &[rows, 1], device)?;
    let columns_at =
        cx.engine.tensor(&Data::Long(collected((0..columns).map(|column| column as i64))?), &[columns], device)?;
    let mask = cx.engine.compare(kept, &columns_at, &rows_at)?;
    cx.engine.choose(&mask, &x, &cx.engine.number_like(&x, 0.0)?).map(Output::One)
}
