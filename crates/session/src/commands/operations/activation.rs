//! Activations, and the softmax family.

use stepwell_optim::{Code, Error, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::elementwise::floating;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::operations::Activation;
use crate::engine::primitives::{Primitive, Unary};
use crate::mathematics::activation;
use crate::mathematics::tensor_math::TensorMath;

operations! { E,
    /// max(x, 0).
    "relu" (x: Tensor) gradient 1 => |cx, given| cx.engine.unary(Unary::Relu, &cx.numeric(given.operand(0)?)?).map(Output::One);
    /// Elements limited to 0 and 6; the gradient is 0 at both ends.
    "relu6" (x: Tensor) gradient 1 => |cx, given| wide(cx, given, activation::relu6);
    /// x where it is positive, else slope x.
    "leakyrelu" as "leaky_relu" (x: Tensor, slope: Number = 0.01) gradient 1 => |cx, given| wide(cx, given, activation::leakyrelu);
    /// x where it is positive, else x times a weight: one number, or one for each channel of `x [n, c, *]`.
    "prelu" (x: Tensor, weight: Tensor) gradient 1 => |cx, given| {
        let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], true)?;
        let [x, weight] = &tensors[..] else { return Err(Error::new(Code::Internal, "not two operands")) };
        activation::prelu(cx.engine, x, weight).map(Output::One)
    };
    /// x where it is positive, else x times a slope: drawn from `lower` to `upper` if `train`, else their mean.
    "rrelu" (x: Tensor, lower: Number = 0.125, upper: Number = 0.3333333333333333, train: Flag = false) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let range = [given.number(1)?, given.number(2)?];
        activation::rrelu(cx.engine, cx.random, &x, range, given.flag(3)).map(Output::One)
    };
    /// x where it is positive, else alpha (exp(x) - 1).
    "elu" (x: Tensor, alpha: Number = 1.0) gradient 1 => |cx, given| wide(cx, given, activation::elu);
    /// x where it is positive, else alpha (exp(x / alpha) - 1).
    "celu" (x: Tensor, alpha: Number = 1.0) gradient 1 => |cx, given| wide(cx, given, activation::celu);
    /// The scaled exponential unit of self-normalising networks.
    "selu" (x: Tensor) gradient 1 => |cx, given| wide(cx, given, activation::selu);
    /// x times the normal distribution function at x; with `tanh` its approximation.
    "gelu" (x: Tensor, tanh: Flag = false) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        cx.engine.activation(&x, Activation::Gelu { tanh: given.flag(1) }).map(Output::One)
    };
    /// x sigmoid(x).
    "silu" (x: Tensor) gradient 1 => |cx, given| wide(cx, given, activation::silu);
    /// x tanh(log(1 + exp(x))).
    "mish" (x: Tensor) gradient 1 => |cx, given| wide(cx, given, activation::mish);
    /// log(1 + exp(beta x)) / beta, and x where beta x is above the threshold.
    "softplus" as "nn.functional.softplus" (x: Tensor, beta: Number = 1.0, threshold: Number = 20.0) gradient 1 => |cx, given| wide(cx, given, activation::softplus);
    /// x / (1 + abs(x)).
    "softsign" (x: Tensor) gradient 1 => |cx, given| wide(cx, given, activation::softsign);
    /// The first half along a dimension times the sigmoid of the second.
    "glu" as "nn.functional.glu" (x: Tensor, dim: Dim = minus_one) gradient 1 => |cx, given| wide(cx, given, activation::glu);
    /// Elements limited to min and max; the gradient is 0 at both ends.
    "hardtanh" (x: Tensor, min: Number = minus_one, max: Number = 1.0) gradient 1 => |cx, given| wide(cx, given, activation::hardtanh);
    /// x where |x| > lambda, else 0.
    "hardshrink" (x: Tensor, lambda: Number = 0.5) gradient 1 => |cx, given| wide(cx, given, activation::hardshrink);
    /// x moved towards 0 by lambda, and 0 where |x| <= lambda.
    "softshrink" (x: Tensor, lambda: Number = 0.5) gradient 1 => |cx, given| wide(cx, given, activation::softshrink);
    /// x - tanh(x).
    "tanhshrink" (x: Tensor) gradient 1 => |cx, given| wide(cx, given, activation::tanhshrink);
    /// The logarithm of the sigmoid.
    "logsigmoid" as "nn.functional.logsigmoid" (x: Tensor) gradient 1 => |cx, given| wide(cx, given, activation::logsigmoid);
    /// x where it is larger than the threshold, else the value.
    "threshold" (x: Tensor, threshold: Number, value: Number) gradient 1 => |cx, given| wide(cx, given, activation::threshold);
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
        let x = cx.only_floating(given.operand(0)?)?;
        activation::softmin(cx.engine, &x, given.whole(1)?).map(Output::One)
    };
}

/// An activation of the first argument with the numbers after it, computed in `float` for 16 bits.
fn wide<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, function: activation::Activation<E>) -> Result<Output<E>> {
    let x = cx.only_floating(given.operand(0)?)?;
    let number =
        |index| given.number(index).or_else(|_| given.whole(index).map(|whole| whole as f64)).unwrap_or(f64::NAN);
    activation::activate(cx.engine, &x, [number(1), number(2)], function).map(Output::One)
}

fn along<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, of: fn(usize) -> Primitive) -> Result<Output<E>> {
    let x = cx.only_floating(given.operand(0)?)?;
    cx.one(of(cx.engine.dim(&x, given.whole(1)?)?), &[&x])
}
