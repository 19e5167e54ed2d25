//! Activations, and the softmax family.

use stepwell_optim::{Code, Error, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::elementwise::floating;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::operations::Activation;
use crate::engine::primitives::{Binary, Compare, Primitive, Unary};
use crate::mathematics::tensor_math::TensorMath;

operations! { E,
    /// max(x, 0).
    "relu" (x: Tensor) gradient 1 => |cx, given| cx.engine.unary(Unary::Relu, &cx.numeric(given.operand(0)?)?).map(Output::One);
    /// Elements limited to 0 and 6; the gradient is 0 at both ends.
    "relu6" (x: Tensor) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        limited(cx, &x, 0.0, 6.0).map(Output::One)
    };
    /// x where it is positive, else slope x.
    "leakyrelu" as "leaky_relu" (x: Tensor, slope: Number = 0.01) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let below = cx.engine.with_number(Binary::Mul, &x, given.number(1)?)?;
        positive(cx, &x, &x, &below)
    };
    /// x where it is positive, else alpha (exp(x) - 1).
    "elu" (x: Tensor, alpha: Number = 1.0) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        exponential(cx, &x, 1.0, given.number(1)?, 1.0)
    };
    /// x where it is positive, else alpha (exp(x / alpha) - 1).
    "celu" (x: Tensor, alpha: Number = 1.0) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        if given.number(1)? == 0.0 {
            return Err(Error::new(Code::Argument, "expected alpha other than 0, given 0"));
        }
        exponential(cx, &x, 1.0, given.number(1)?, 1.0 / given.number(1)?)
    };
    /// The scaled exponential unit of self-normalising networks.
    "selu" (x: Tensor) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        exponential(cx, &x, 1.050_700_987_355_480_5, 1.050_700_987_355_480_5 * 1.673_263_242_354_377_2, 1.0)
    };
    /// x times the normal distribution function at x; with `tanh` its approximation.
    "gelu" (x: Tensor, tanh: Flag = false) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        cx.engine.activation(&x, Activation::Gelu { tanh: given.flag(1) }).map(Output::One)
    };
    /// x sigmoid(x).
    "silu" (x: Tensor) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        cx.engine.binary(Binary::Mul, &x, &cx.engine.unary(Unary::Sigmoid, &x)?).map(Output::One)
    };
    /// x tanh(softplus(x)).
    "mish" (x: Tensor) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let y = softplus(cx, &x)?;
        cx.engine.binary(Binary::Mul, &x, &cx.engine.unary(Unary::Tanh, &y)?).map(Output::One)
    };
    /// log(1 + exp(x)).
    "softplus" (x: Tensor) gradient 1 => |cx, given| {
        softplus(cx, &cx.only_floating(given.operand(0)?)?).map(Output::One)
    };
    /// x / (1 + |x|).
    "softsign" (x: Tensor) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let divisor = cx.engine.with_number(Binary::Add, &cx.engine.unary(Unary::Abs, &x)?, 1.0)?;
        cx.engine.binary(Binary::Div, &x, &divisor).map(Output::One)
    };
    /// Elements limited to min and max; the gradient is 0 at both ends.
    "hardtanh" (x: Tensor, min: Number = minus_one, max: Number = 1.0) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        limited(cx, &x, given.number(1)?, given.number(2)?).map(Output::One)
    };
    /// x where |x| > lambda, else 0.
    "hardshrink" (x: Tensor, lambda: Number = 0.5) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let is_small = cx.engine.compare_number(Compare::Le, &cx.engine.unary(Unary::Abs, &x)?, given.number(1)?)?;
        cx.engine.choose(&is_small, &cx.engine.number_like(&x, 0.0)?, &x).map(Output::One)
    };
    /// x moved towards 0 by lambda, and 0 where |x| <= lambda.
    "softshrink" (x: Tensor, lambda: Number = 0.5) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let is_small = cx.engine.compare_number(Compare::Le, &cx.engine.unary(Unary::Abs, &x)?, given.number(1)?)?;
        let moved = cx.engine.with_number(Binary::Mul, &cx.engine.unary(Unary::Sign, &x)?, given.number(1)?)?;
        cx.engine.choose(&is_small, &cx.engine.number_like(&x, 0.0)?, &cx.engine.binary(Binary::Sub, &x, &moved)?).map(Output::One)
    };
    /// x - tanh(x).
    "tanhshrink" (x: Tensor) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        cx.engine.binary(Binary::Sub, &x, &cx.engine.unary(Unary::Tanh, &x)?).map(Output::One)
    };
    /// The logarithm of the sigmoid.
    "logsigmoid" as "nn.functional.logsigmoid" (x: Tensor) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        cx.engine.unary(Unary::Neg, &softplus(cx, &cx.engine.unary(Unary::Neg, &x)?)?).map(Output::One)
    };
    /// x where it is larger than the threshold, else the value.
    "threshold" (x: Tensor, threshold: Number, value: Number) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let is_below = cx.engine.compare_number(Compare::Le, &x, given.number(1)?)?;
        cx.engine.choose(&is_below, &cx.engine.number_like(&x, given.number(2)?)?, &x).map(Output::One)
    };
    /// The hyperbolic tangent.
    "tanh" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Tanh);
    /// 1 / (1 + exp(-x)).
    "sigmoid" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Sigmoid);
    /// exp(x) divided by its sum along a dimension.
    "softmax" (x: Tensor, dim: Dim) gradient 1 => |cx, given| along(cx, given, Primitive::Softmax);
    /// The logarithm of `softmax`, precise for small probabilities.
    "logsoftmax" as "log_softmax" (x: Tensor, dim: Dim) gradient 1 => |cx, given| along(cx, given, Primitive::LogSoftmax);
    /// `softmax` of -x.
    "softmin" (x: Tensor, dim: Dim) gradient 1 => |cx, given| {
        let x = cx.engine.unary(Unary::Neg, &cx.only_floating(given.operand(0)?)?)?;
        cx.one(Primitive::Softmax(cx.engine.dim(&x, given.whole(1)?)?), &[&x])
    };
}

fn along<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, of: fn(usize) -> Primitive) -> Result<Output<E>> {
    let x = cx.only_floating(given.operand(0)?)?;
    cx.one(of(cx.engine.dim(&x, given.whole(1)?)?), &[&x])
}

/// log1p(exp(-|x|)) + max(x, 0), which does not overflow. At 0 the gradient of the maximum is 1/2, and the other term's 0.
fn softplus<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor) -> Result<E::Tensor> {
    let small = cx.engine.unary(Unary::Exp, &cx.engine.unary(Unary::Neg, &cx.engine.unary(Unary::Abs, x)?)?)?;
    let large = cx.engine.with_number(Binary::Maximum, x, 0.0)?;
    cx.engine.binary(Binary::Add, &cx.engine.unary(Unary::Log1p, &small)?, &large)
}

/// `above` where x > 0, else `below`.
fn positive<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, above: &E::Tensor, below: &E::Tensor) -> Result<Output<E>> {
    cx.engine.choose(&cx.engine.compare_number(Compare::Gt, x, 0.0)?, above, below).map(Output::One)
}

/// `above` x where it is positive, else `below` (exp(`rate` x) - 1). The exponent is limited to 0, so that it does not overflow.
fn exponential<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, above: f64, below: f64, rate: f64) -> Result<Output<E>> {
    let is_above = cx.engine.compare_number(Compare::Gt, x, 0.0)?;
    let limited = cx.engine.choose(&is_above, &cx.engine.number_like(x, 0.0)?, x)?;
    let power = cx.engine.unary(Unary::Expm1, &cx.engine.with_number(Binary::Mul, &limited, rate)?)?;
    let scaled = if above == 1.0 { x.clone() } else { cx.engine.with_number(Binary::Mul, x, above)? };
    cx.engine.choose(&is_above, &scaled, &cx.engine.with_number(Binary::Mul, &power, below)?).map(Output::One)
}

/// The gradient is 0 where x is at a limit.
fn limited<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, min: f64, max: f64) -> Result<E::Tensor> {
    let x = cx.engine.choose(&cx.engine.compare_number(Compare::Le, x, min)?, &cx.engine.number_like(x, min)?, x)?;
    cx.engine.choose(&cx.engine.compare_number(Compare::Ge, &x, max)?, &cx.engine.number_like(&x, max)?, &x)
}
