//! Variances and norms.

use stepwell_optim::Result;

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Reduce, Unary};
use crate::mathematics::norm::norm;
use crate::mathematics::tensor_math::TensorMath;

operations! { E,
    /// The variance over all elements or over dimensions, with the divisor n - correction.
    "variance" as "var" (x: Tensor, dim: Dims = null, correction: Number = 1.0, keepdim: Flag = false) gradient 1 =>
        |cx, given| moments(cx, given).map(|(_, variance)| Output::One(variance));
    /// The square root of the variance.
    "std" (x: Tensor, dim: Dims = null, correction: Number = 1.0, keepdim: Flag = false) gradient 1 =>
        |cx, given| cx.engine.unary(Unary::Sqrt, &moments(cx, given)?.1).map(Output::One);
    /// The standard deviation and the mean.
    "meanstd" as "std_mean" (x: Tensor, dim: Dims = null, correction: Number = 1.0, keepdim: Flag = false) gradient 2 =>
        |cx, given| {
            let (mean, variance) = moments(cx, given)?;
            Ok(Output::Several(vec![cx.engine.unary(Unary::Sqrt, &variance)?, mean]))
        };
    /// The variance and the mean.
    "meanvar" as "var_mean" (x: Tensor, dim: Dims = null, correction: Number = 1.0, keepdim: Flag = false) gradient 2 =>
        |cx, given| moments(cx, given).map(|(mean, variance)| Output::Several(vec![variance, mean]));
    /// The norm of order p over all elements or over dimensions. Order 0 counts the elements that differ from 0, without a gradient.
    "vnorm" as "linalg.vector_norm" (x: Tensor, p: Number = 2.0, dim: Dims = null, keepdim: Flag = false) gradient 1 =>
        |cx, given| {
            let x = cx.only_floating(given.operand(0)?)?;
            norm(cx.engine, &x, given.number(1)?, &cx.engine.dims(&x, given.list(2))?, given.flag(3)).map(Output::One)
        };
    /// The norm of order p of x - y: see `vnorm`.
    "dist" (x: Tensor, y: Tensor, p: Number = 2.0) gradient 1 => |cx, given| {
        let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], true)?;
        let difference = cx.engine.binary(Binary::Sub, &tensors[0], &tensors[1])?;
        norm(cx.engine, &difference, given.number(2)?, &cx.engine.dims(&difference, None)?, false).map(Output::One)
    };
}

/// The mean and the variance, in two passes.
fn moments<E: Engine>(cx: &Context<'_, E>, given: &Given<E>) -> Result<(E::Tensor, E::Tensor)> {
    let x = cx.only_floating(given.operand(0)?)?;
    let dims = cx.engine.dims(&x, given.list(1))?;
    let shape = cx.engine.shape(&x)?;
    let count: usize = dims.iter().filter_map(|dim| shape.get(*dim)).product();
    let mean = cx.engine.reduce(Reduce::Mean, &x, &dims, true)?;
    let centered = cx.engine.binary(Binary::Sub, &x, &mean)?;
    let squares =
        cx.engine.reduce(Reduce::Sum, &cx.engine.binary(Binary::Mul, &centered, &centered)?, &dims, given.flag(3))?;
    let variance = cx.engine.with_number(Binary::Div, &squares, (count as f64 - given.number(2)?).max(0.0))?;
    let mean = cx.engine.with_shape(&mean, &cx.engine.shape(&variance)?)?;
    Ok((mean, variance))
}
