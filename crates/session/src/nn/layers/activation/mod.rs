//! Activations: functions of each element, gates and softmax.

pub(crate) mod prelu;

use stepwell_optim::{Limit::*, Result};

use crate::engine::Engine;
use crate::engine::operations;
use crate::engine::primitives::Primitive;
use crate::mathematics::activation;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::context::{ForwardContext, floating, misfit};
use crate::nn::layer_kind::function_layers;

function_layers! { E,
    /// The larger of 0 and x.
    "relu" {} => Function(1, |cx, x, _| cx.engine.activation(&x[0], operations::Activation::Relu));
    /// The hyperbolic tangent.
    "tanh" {} => Function(1, |cx, x, _| cx.engine.activation(&x[0], operations::Activation::Tanh));
    /// 1 / (1 + exp(-x)).
    "sigmoid" {} => Function(1, |cx, x, _| cx.engine.activation(&x[0], operations::Activation::Sigmoid));
    /// x times the share of a normal distribution below x.
    "gelu" {
        /// Use the tanh approximation.
        tanh: bool = false;
    } => Function(1, |cx, x, o| {
        floating(cx.engine, &x[0])?;
        cx.engine.activation(&x[0], operations::Activation::Gelu { tanh: o.flag(0) })
    });
    /// Elements limited to 0 and 6.
    "relu6" {} => Activation(activation::relu6);
    /// x where it is positive, else slope x.
    "leakyrelu" {
        /// Factor of negative elements.
        slope: f64 = 0.01, alias "negative_slope";
    } => Activation(activation::leakyrelu);
    /// x where it is positive, else x times a slope that is drawn for each element while training.
    "rrelu" {
        /// Smallest slope.
        lower: f64 = 0.125;
        /// Largest slope. In use the slope is the mean of both.
        upper: f64 = 1.0 / 3.0;
    } => Function(1, |cx, x, o| {
        floating(cx.engine, &x[0])?;
        activation::rrelu(cx.engine, cx.random, &x[0], [o.number(0)?, o.number(1)?], cx.training)
    });
    /// x where it is positive, else alpha (exp(x) - 1).
    "elu" {
        /// Limit of negative elements, negated.
        alpha: f64 = 1.0;
    } => Activation(activation::elu);
    /// x where it is positive, else alpha (exp(x / alpha) - 1).
    "celu" {
        /// Limit of negative elements, negated; not 0.
        alpha: f64 = 1.0;
    } => Activation(activation::celu);
    /// The scaled exponential unit of self-normalising networks.
    "selu" {} => Activation(activation::selu);
    /// x sigmoid(x).
    "silu" {} => Activation(activation::silu);
    /// x tanh(log(1 + exp(x))).
    "mish" {} => Activation(activation::mish);
    /// The first half along a dimension times the sigmoid of the second.
    "glu" {
        /// Dimension; negative from the end.
        dim: i64 = -1;
    } => Activation(activation::glu);
    /// The logarithm of the sigmoid.
    "logsigmoid" {} => Activation(activation::logsigmoid);
    /// x - tanh(x).
    "tanhshrink" {} => Activation(activation::tanhshrink);
    /// Elements limited to a range.
    "hardtanh" {
        /// Least value.
        min: f64 = -1.0, alias "min_val";
        /// Greatest value.
        max: f64 = 1.0, alias "max_val";
    } => Activation(activation::hardtanh);
    /// x where its size is above lambda, else 0.
    "hardshrink" {
        /// Size of the largest element that becomes 0.
        lambda: f64 = 0.5, alias "lambd";
    } => Activation(activation::hardshrink);
    /// x moved towards 0 by lambda, and 0 where its size is at most lambda.
    "softshrink" {
        /// Size of the largest element that becomes 0.
        lambda: f64 = 0.5, limit AtLeast(0.0), alias "lambd";
    } => Activation(activation::softshrink);
    /// x / (1 + abs(x)).
    "softsign" {} => Activation(activation::softsign);
    /// log(1 + exp(beta x)) / beta.
    "softplus" {
        /// Factor of x; not 0.
        beta: f64 = 1.0;
        /// Where beta x is larger, the result is x.
        threshold: f64 = 20.0;
    } => Activation(activation::softplus);
    /// x where it is above a threshold, else a value.
    "threshold" {
        /// Largest element that is replaced.
        threshold: f64;
        /// The value in its place.
        value: f64;
    } => Activation(activation::threshold);
    /// exp(x) divided by its sum along a dimension.
    "softmax" {
        /// Dimension; negative from the end.
        dim: i64;
    } => Function(1, |cx, x, o| along(cx, x, o.whole(0)?, Primitive::Softmax));
    /// The logarithm of softmax.
    "logsoftmax" {
        /// Dimension; negative from the end.
        dim: i64;
    } => Function(1, |cx, x, o| along(cx, x, o.whole(0)?, Primitive::LogSoftmax));
    /// Softmax of -x.
    "softmin" {
        /// Dimension; negative from the end.
        dim: i64;
    } => Function(1, |cx, x, o| {
        floating(cx.engine, &x[0])?;
        activation::softmin(cx.engine, &x[0], o.whole(0)?)
    });
    /// Softmax over the channels of images `[n, c, h, w]` or `[c, h, w]`.
    "softmax2d" {} => Function(1, |cx, x, _| match cx.engine.shape(&x[0])?[..] {
        [_, _, _] | [_, _, _, _] => along(cx, x, -3, Primitive::Softmax),
        ref shape => Err(misfit("[n, c, h, w] or [c, h, w]", shape)),
    });
}

fn along<E: Engine>(
    cx: &ForwardContext<'_, E>,
    x: &[E::Tensor],
    dim: i64,
    of: fn(usize) -> Primitive,
) -> Result<E::Tensor> {
    floating(cx.engine, &x[0])?;
    cx.engine.primitive(of(cx.engine.dim(&x[0], dim)?), &[&x[0]])
}
