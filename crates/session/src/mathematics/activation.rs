//! Activations: functions of each element, and gated ones. Inputs are of floating point.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Number, Result};

use crate::engine::Engine;
use crate::engine::element_count::checked_element_count;
use crate::engine::primitives::{Binary, Compare, Primitive, Unary};
use crate::mathematics::calculation::{Calculation, Node, calculated};
use crate::mathematics::tensor_math::TensorMath;
use crate::random::Random;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// The numbers of an activation, in the order of its arguments; those that it does not have are NaN.
pub(crate) type Numbers = [f64; 2];

/// An activation: a function of a tensor of floating point and of its numbers.
pub(crate) type Activation<E> = fn(&Calculation<'_, E>, Node, Numbers) -> Node;

/// Elements limited to 0 and 6; the gradient is 0 at both ends.
pub(crate) fn relu6<E: Engine>(c: &Calculation<'_, E>, x: Node, _: Numbers) -> Node {
    hardtanh(c, x, [0.0, 6.0])
}

/// Computes in `float` what a tensor of 16 bits goes into, and rounds once, as libtorch's kernels do.
pub(crate) fn widened<E: Engine>(
    engine: &E,
    x: &E::Tensor,
    function: &dyn Fn(&E::Tensor) -> Result<E::Tensor>,
) -> Result<E::Tensor> {
    if E::HAS_REDUCED {
        let dtype = engine.dtype(x)?;
        if matches!(dtype, Dtype::Half | Dtype::BFloat16) {
            let wide = engine.cast(x.clone(), Dtype::Float)?;
            return engine.cast(function(&wide)?, dtype);
        }
    }
    function(x)
}

/// An activation, computed in `float` for 16 bits.
pub(crate) fn activate<E: Engine>(
    engine: &E,
    x: &E::Tensor,
    numbers: Numbers,
    function: Activation<E>,
) -> Result<E::Tensor> {
    widened(engine, x, &|x| calculated(engine, &|c| function(c, c.input(x), numbers)))
}

/// x where it is positive, else `slope` x.
pub(crate) fn leakyrelu<E: Engine>(c: &Calculation<'_, E>, x: Node, [slope, _]: Numbers) -> Node {
    let below = c.with_number(Binary::Mul, x, slope);
    c.choose(c.compare_number(Compare::Gt, x, 0.0), x, below)
}

/// x where it is positive, else `alpha` (exp(x) - 1).
pub(crate) fn elu<E: Engine>(c: &Calculation<'_, E>, x: Node, [alpha, _]: Numbers) -> Node {
    exponential(c, x, 1.0, alpha, 1.0)
}

/// x where it is positive, else `alpha` (exp(x / `alpha`) - 1).
///
/// # Errors
/// [`Code::Argument`] for an alpha of 0.
pub(crate) fn celu<E: Engine>(c: &Calculation<'_, E>, x: Node, [alpha, _]: Numbers) -> Node {
    if alpha == 0.0 {
        return c.fail(Error::new(Code::Argument, "expected alpha other than 0, given 0"));
    }
    exponential(c, x, 1.0, alpha, 1.0 / alpha)
}

/// The scaled exponential unit. Klambauer et al. 2017, <https://arxiv.org/abs/1706.02515>.
pub(crate) fn selu<E: Engine>(c: &Calculation<'_, E>, x: Node, _: Numbers) -> Node {
    exponential(c, x, SELU_SCALE, SELU_SCALE * SELU_ALPHA, 1.0)
}

/// The scale of SELU, with which outputs keep variance 1; as in the paper and in PyTorch.
pub(crate) const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
/// The factor of the exponential part of SELU; as in the paper and in PyTorch.
pub(crate) const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

/// x sigmoid(x).
pub(crate) fn silu<E: Engine>(c: &Calculation<'_, E>, x: Node, _: Numbers) -> Node {
    c.binary(Binary::Mul, x, c.unary(Unary::Sigmoid, x))
}

/// x tanh(log(1 + exp(x))).
pub(crate) fn mish<E: Engine>(c: &Calculation<'_, E>, x: Node, _: Numbers) -> Node {
    c.binary(Binary::Mul, x, c.unary(Unary::Tanh, log1p_exp(c, x)))
}

/// log(1 + exp(`beta` x)) / `beta`, and x itself where `beta` x is above the threshold.
///
/// # Errors
/// [`Code::Argument`] for a beta of 0.
pub(crate) fn softplus<E: Engine>(c: &Calculation<'_, E>, x: Node, [beta, threshold]: Numbers) -> Node {
    if beta == 0.0 {
        return c.fail(Error::new(Code::Argument, "expected a beta other than 0, given 0"));
    }
    let scaled = if beta == 1.0 { x } else { c.with_number(Binary::Mul, x, beta) };
    let mut soft = log1p_exp(c, scaled);
    if beta != 1.0 {
        soft = c.with_number(Binary::Div, soft, beta);
    }
    c.choose(c.compare_number(Compare::Gt, scaled, threshold), x, soft)
}

/// log1p(exp(-|x|)) + max(x, 0), which does not overflow. At 0 the gradient of the maximum is 1/2, and the other term's 0.
pub(crate) fn log1p_exp<E: Engine>(c: &Calculation<'_, E>, x: Node) -> Node {
    let small = c.unary(Unary::Exp, c.unary(Unary::Neg, c.unary(Unary::Abs, x)));
    let large = c.with_number(Binary::Maximum, x, 0.0);
    c.binary(Binary::Add, c.unary(Unary::Log1p, small), large)
}

/// x / (1 + abs(x)).
pub(crate) fn softsign<E: Engine>(c: &Calculation<'_, E>, x: Node, _: Numbers) -> Node {
    let divisor = c.with_number(Binary::Add, c.unary(Unary::Abs, x), 1.0);
    c.binary(Binary::Div, x, divisor)
}

/// Elements limited to `min` and `max`; the gradient is 0 at both ends.
///
/// # Errors
/// [`Code::Argument`] if `min` is above `max`.
pub(crate) fn hardtanh<E: Engine>(c: &Calculation<'_, E>, x: Node, [min, max]: Numbers) -> Node {
    if min > max {
        let (min, max) = (Number(min), Number(max));
        let message = format_args!("expected a min of at most max, given min {min} and max {max}");
        return c.fail(Error::new(Code::Argument, message));
    }
    let x = c.choose(c.compare_number(Compare::Le, x, min), c.number(x, min), x);
    c.choose(c.compare_number(Compare::Ge, x, max), c.number(x, max), x)
}

/// x where |x| > `lambda`, else 0.
pub(crate) fn hardshrink<E: Engine>(c: &Calculation<'_, E>, x: Node, [lambda, _]: Numbers) -> Node {
    let is_small = c.compare_number(Compare::Le, c.unary(Unary::Abs, x), lambda);
    c.choose(is_small, c.number(x, 0.0), x)
}

/// x moved towards 0 by `lambda`, and 0 where |x| <= `lambda`.
pub(crate) fn softshrink<E: Engine>(c: &Calculation<'_, E>, x: Node, [lambda, _]: Numbers) -> Node {
    let moved = c.with_number(Binary::Mul, c.unary(Unary::Sign, x), lambda);
    let is_small = c.compare_number(Compare::Le, c.unary(Unary::Abs, x), lambda);
    c.choose(is_small, c.number(x, 0.0), c.binary(Binary::Sub, x, moved))
}

/// x - tanh(x).
pub(crate) fn tanhshrink<E: Engine>(c: &Calculation<'_, E>, x: Node, _: Numbers) -> Node {
    c.binary(Binary::Sub, x, c.unary(Unary::Tanh, x))
}

/// The logarithm of the sigmoid.
pub(crate) fn logsigmoid<E: Engine>(c: &Calculation<'_, E>, x: Node, _: Numbers) -> Node {
    c.unary(Unary::Neg, log1p_exp(c, c.unary(Unary::Neg, x)))
}

/// x where it is larger than the threshold, else the value.
pub(crate) fn threshold<E: Engine>(c: &Calculation<'_, E>, x: Node, [threshold, value]: Numbers) -> Node {
    c.choose(c.compare_number(Compare::Le, x, threshold), c.number(x, value), x)
}

/// `softmax` of -x.
pub(crate) fn softmin<E: Engine>(engine: &E, x: &E::Tensor, dim: i64) -> Result<E::Tensor> {
    let dim = engine.dim(x, dim)?;
    calculated(engine, &|c| c.primitive(Primitive::Softmax(dim), &[c.unary(Unary::Neg, c.input(x))]))
}

/// The first half along a dimension times the sigmoid of the second.
///
/// # Errors
/// [`Code::Shape`] unless the dimension has an even size.
pub(crate) fn glu<E: Engine>(c: &Calculation<'_, E>, x: Node, [dim, _]: Numbers) -> Node {
    let half_of = || {
        let x = c.result(x)?;
        let (shape, dim) = (c.engine.shape(&x)?, c.engine.dim(&x, dim as i64)?);
        match shape.get(dim) {
            Some(size) if size.is_multiple_of(2) => Ok((dim, size / 2)),
            _ => {
                let message = format_args!("expected an even size of dimension {dim}, given shape {shape:?}");
                Err(Error::new(Code::Shape, message))
            }
        }
    };
    match half_of() {
        Ok((dim, half)) => {
            let gate = c.unary(Unary::Sigmoid, c.slice(x, dim, half, half));
            c.binary(Binary::Mul, c.slice(x, dim, 0, half), gate)
        }
        Err(error) => c.fail(error),
    }
}

/// x where it is positive, else x times a weight: one number, or one for each channel of `x [n, c, *]`.
///
/// # Errors
/// [`Code::Shape`] unless the weight fits.
pub(crate) fn prelu<E: Engine>(engine: &E, x: &E::Tensor, weight: &E::Tensor) -> Result<E::Tensor> {
    let (shape, weights) = (engine.shape(x)?, engine.shape(weight)?);
    let channels = shape.get(1).copied().unwrap_or(1);
    let mut own = vec![1; shape.len()];
    match weights[..] {
        [] | [1] => {}
        [count] if count == channels => own[1] = count,
        _ => {
            let message = format_args!(
                "expected a weight of shape [1] or [{channels}] for x of shape {shape:?}, given shape {weights:?}"
            );
            return Err(Error::new(Code::Shape, message));
        }
    }
    calculated(engine, &|c| {
        let x = c.input(x);
        let below = c.binary(Binary::Mul, x, c.with_shape(c.input(weight), &own));
        c.choose(c.compare_number(Compare::Gt, x, 0.0), x, below)
    })
}

/// x where it is positive, else x times a slope. While training it is drawn for each element from `lower` to `upper`, and
/// otherwise it is the mean of both. Xu et al. 2015, <https://arxiv.org/abs/1505.00853>.
///
/// # Errors
/// [`Code::Argument`] if `lower` is above `upper`.
pub(crate) fn rrelu<E: Engine>(
    engine: &E,
    random: &mut Random,
    x: &E::Tensor,
    [lower, upper]: [f64; 2],
    training: bool,
) -> Result<E::Tensor> {
    if lower > upper {
        let (lower, upper) = (Number(lower), Number(upper));
        let message = format_args!("expected a lower of at most upper, given lower {lower} and upper {upper}");
        return Err(Error::new(Code::Argument, message));
    }
    let shape = engine.shape(x)?;
    let c = Calculation::new(engine);
    let x = c.input(x);
    let below = if training {
        let count = checked_element_count(engine, &shape, Dtype::Double)?;
        let slopes = collected((0..count).map(|_| lower + random.unit() * (upper - lower)))?;
        c.binary(Binary::Mul, x, c.tensor(x, Data::Double(slopes), &shape))
    } else {
        c.with_number(Binary::Mul, x, f64::midpoint(lower, upper))
    };
    c.result(c.choose(c.compare_number(Compare::Le, x, 0.0), below, x))
}

/// `above` x where it is positive, else `below` (exp(`rate` x) - 1). The exponent is limited to 0, so that it does not overflow.
fn exponential<E: Engine>(c: &Calculation<'_, E>, x: Node, above: f64, below: f64, rate: f64) -> Node {
    let is_above = c.compare_number(Compare::Gt, x, 0.0);
    let limited = c.choose(is_above, c.number(x, 0.0), x);
    let power = c.unary(Unary::Expm1, c.with_number(Binary::Mul, limited, rate));
    let scaled = if above == 1.0 { x } else { c.with_number(Binary::Mul, x, above) };
    c.choose(is_above, scaled, c.with_number(Binary::Mul, power, below))
}
