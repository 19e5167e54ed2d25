//! Comparisons, and questions about elements. Results are `bool`.

use stepwell_optim::Result;

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Reduce, Unary};
use crate::mathematics::calculation::calculated;
use crate::mathematics::tensor_math::TensorMath;
use crate::values::data::Data;
use crate::values::dtype::Dtype;
use crate::values::value::Value;

operations! { E,
    /// Whether elements are equal.
    "eq" (x: Tensor, y: Tensor) no_gradient 1 => |cx, given| compared(cx, given, Compare::Eq);
    /// Whether elements differ.
    "ne" (x: Tensor, y: Tensor) no_gradient 1 => |cx, given| compared(cx, given, Compare::Ne);
    /// Whether elements of x are less.
    "lt" (x: Tensor, y: Tensor) no_gradient 1 => |cx, given| compared(cx, given, Compare::Lt);
    /// Whether elements of x are less or equal.
    "le" (x: Tensor, y: Tensor) no_gradient 1 => |cx, given| compared(cx, given, Compare::Le);
    /// Whether elements of x are greater.
    "gt" (x: Tensor, y: Tensor) no_gradient 1 => |cx, given| compared(cx, given, Compare::Gt);
    /// Whether elements of x are greater or equal.
    "ge" (x: Tensor, y: Tensor) no_gradient 1 => |cx, given| compared(cx, given, Compare::Ge);
    /// Whether two tensors have one shape and equal elements.
    "equal" (x: Tensor, y: Tensor) no_gradient 0 => |cx, given| {
        let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], false)?;
        if cx.engine.shape(&tensors[0])? != cx.engine.shape(&tensors[1])? {
            return Ok(Output::Plain(Value::Bool(false)));
        }
        every(cx, &cx.engine.compare(Compare::Eq, &tensors[0], &tensors[1])?)
    };
    /// Whether |x - y| <= atol + rtol |y|; equal infinities are close, and with `nan` NaN and NaN.
    "close" as "isclose" (x: Tensor, y: Tensor, rtol: Number = 1e-5, atol: Number = 1e-8, nan: Flag = false) no_gradient 1 =>
        |cx, given| close(cx, given).map(Output::One);
    /// Whether all elements are close: see `close`.
    "allclose" (x: Tensor, y: Tensor, rtol: Number = 1e-5, atol: Number = 1e-8, nan: Flag = false) no_gradient 0 =>
        |cx, given| every(cx, &close(cx, given)?);
    /// Whether elements are NaN.
    "nan" as "isnan" (x: Tensor) no_gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        cx.engine.compare(Compare::Ne, &x, &x).map(Output::One)
    };
    /// Whether elements are infinite.
    "inf" as "isinf" (x: Tensor) no_gradient 1 => |cx, given| {
        sized(cx, given, Compare::Eq)
    };
    /// Whether elements are neither infinite nor NaN.
    "finite" as "isfinite" (x: Tensor) no_gradient 1 => |cx, given| {
        sized(cx, given, Compare::Lt)
    };
    /// Whether elements are infinity.
    "posinf" as "isposinf" (x: Tensor) no_gradient 1 => |cx, given| {
        cx.engine.compare_number(Compare::Eq, &cx.floating(given.operand(0)?)?, f64::INFINITY).map(Output::One)
    };
    /// Whether elements are -infinity.
    "neginf" as "isneginf" (x: Tensor) no_gradient 1 => |cx, given| {
        cx.engine.compare_number(Compare::Eq, &cx.floating(given.operand(0)?)?, f64::NEG_INFINITY).map(Output::One)
    };
    /// Whether each element of x is an element of y.
    "isin" (x: Tensor, y: Tensor) no_gradient 1 => |cx, given| {
        let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], false)?;
        let mut shape = cx.engine.shape(&tensors[0])?;
        shape.push(1);
        let count = cx.engine.shape(&tensors[1])?.iter().product();
        // With checks of dimensions and memory.
        let (x, y) = (cx.engine.with_shape(&tensors[0], &shape)?, cx.engine.with_shape(&tensors[1], &[count])?);
        let is_equal = cx.engine.compare(Compare::Eq, &x, &y)?;
        cx.engine.reduce(Reduce::Any, &is_equal, &[shape.len() - 1], false).map(Output::One)
    };
}

fn compared<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, comparison: Compare) -> Result<Output<E>> {
    let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], false)?;
    cx.engine.compare(comparison, &tensors[0], &tensors[1]).map(Output::One)
}

/// Whether all flags are set.
fn every<E: Engine>(cx: &Context<'_, E>, flags: &E::Tensor) -> Result<Output<E>> {
    let all = cx.engine.reduce(Reduce::All, flags, &cx.engine.dims(flags, None)?, false)?;
    Ok(Output::Plain(Value::Bool(matches!(cx.engine.data(&all)?, Data::Bool(flags) if flags.first() == Some(&true)))))
}

/// A comparison of |x| with infinity.
fn sized<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, comparison: Compare) -> Result<Output<E>> {
    let x = cx.floating(given.operand(0)?)?;
    cx.engine.compare_number(comparison, &cx.engine.unary(Unary::Abs, &x)?, f64::INFINITY).map(Output::One)
}

fn close<E: Engine>(cx: &Context<'_, E>, given: &Given<E>) -> Result<E::Tensor> {
    let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], true)?;
    let (rtol, atol) = (given.number(2)?, given.number(3)?);
    calculated(cx.engine, &|c| {
        let (x, y) = (c.input(&tensors[0]), c.input(&tensors[1]));
        let difference = c.unary(Unary::Abs, c.checked_binary(Binary::Sub, x, y));
        let scaled = c.with_number(Binary::Mul, c.unary(Unary::Abs, y), rtol);
        let allowed = c.with_number(Binary::Add, scaled, atol);
        let is_near = c.compare(Compare::Le, difference, allowed);
        let is_finite = c.compare_number(Compare::Lt, difference, f64::INFINITY);
        let is_near = c.binary(Binary::And, is_near, is_finite);
        let mut is_close = c.binary(Binary::Or, is_near, c.compare(Compare::Eq, x, y));
        if given.flag(4) {
            let both = c.binary(Binary::And, c.compare(Compare::Ne, x, x), c.compare(Compare::Ne, y, y));
            is_close = c.binary(Binary::Or, is_close, both);
        }
        c.cast(is_close, Dtype::Bool)
    })
}
