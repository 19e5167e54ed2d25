//! Variances and norms.

use stepwell_optim::{Code, Error, Number, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Reduce, Unary};
use crate::mathematics::norm::norm;
use crate::mathematics::tensor_math::TensorMath;

operations! { E,
    /// The variance over all elements or over dimensions, with the divisor n - correction.
    "variance" as "var" (x: Tensor, dim: Dims = null, correction: Number = 1.0, keepdim: Flag = false) gradient 1 =>
        |cx, given| moments(cx, given).map(|(_, variance)| Output::One(variance));
    /// The square root of the variance.
    "std" (x: Tensor, dim: Dims = null, correction: Number = 1.0, keepdim: Flag = false) gradient 1 =>
        |cx, given| cx.engine.unary(Unary::Sqrt, &moments(cx, given)?.1).map(Output::One);
    /// The mean and the standard deviation, in the order of the k-api.
    "meanstd" as "std_mean" (x: Tensor, dim: Dims = null, correction: Number = 1.0, keepdim: Flag = false) gradient 2 =>
        |cx, given| {
            let (mean, variance) = moments(cx, given)?;
            Ok(Output::Several(vec![mean, cx.engine.unary(Unary::Sqrt, &variance)?]))
        };
    /// The mean and the variance, in the order of the k-api.
    "meanvar" as "var_mean" (x: Tensor, dim: Dims = null, correction: Number = 1.0, keepdim: Flag = false) gradient 2 =>
        |cx, given| moments(cx, given).map(|(mean, variance)| Output::Several(vec![mean, variance]));
    /// The norm of order p over all elements or over dimensions. Order 0 counts the elements that differ from 0, without a gradient.
    "vnorm" as "linalg.vector_norm" (x: Tensor, p: Number = 2.0, dim: Dims = null, keepdim: Flag = false) gradient 1 =>
        |cx, given| {
            let x = cx.only_floating(given.operand(0)?)?;
            norm(cx.engine, &x, given.number(1)?, &cx.engine.dims(&x, given.dims(2))?, given.flag(3)).map(Output::One)
        };
    /// The norm of order p of x - y: see `vnorm`.
    "dist" (x: Tensor, y: Tensor, p: Number = 2.0) gradient 1 => |cx, given| {
        let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], true)?;
        let difference = cx.engine.binary(Binary::Sub, &tensors[0], &tensors[1])?;
        norm(cx.engine, &difference, given.number(2)?, &cx.engine.dims(&difference, None)?, false).map(Output::One)
    };
    /// Parts of x along a dimension, each scaled down to a norm of order p of `maxnorm` if its norm is larger.
    "renorm" (x: Tensor, p: Number, dim: Dim, maxnorm: Number) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let (engine, p, maxnorm) = (cx.engine, given.number(1)?, given.number(3)?);
        let (dim, mut dims) = (engine.dim(&x, given.whole(2)?)?, engine.dims(&x, None)?);
        if dims.len() < 2 || !(p > 0.0 && p.is_finite()) || maxnorm < 0.0 || maxnorm.is_nan() {
            let shape = engine.shape(&x)?;
            let message = format!(
                "expected two dimensions, a finite order > 0 and a largest norm >= 0, given shape {shape:?}, {} and {}",
                Number(p), Number(maxnorm)
            );
            return Err(Error::new(Code::Argument, message));
        }
        dims.remove(dim);
        let norms = norm(engine, &x, p, &dims, true)?;
        let is_large = engine.compare_number(Compare::Gt, &norms, maxnorm)?;
        // As in PyTorch, so that a scaled norm is not larger by rounding.
        let divisor = engine.with_number(Binary::Add, &norms, 1e-7)?;
        let factor = engine.binary(Binary::Div, &engine.number_like(&x, maxnorm)?, &divisor)?;
        let factor = engine.choose(&is_large, &factor, &engine.number_like(&x, 1.0)?)?;
        engine.binary(Binary::Mul, &x, &factor).map(Output::One)
    };
}

/// The mean and the variance, in two passes.
fn moments<E: Engine>(cx: &Context<'_, E>, given: &Given<E>) -> Result<(E::Tensor, E::Tensor)> {
    let x = cx.only_floating(given.operand(0)?)?;
    let dims = cx.engine.dims(&x, given.dims(1))?;
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
