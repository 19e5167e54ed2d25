//! Activations: functions of each element, and gated ones. Inputs are of floating point.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::element_count::checked_element_count;
use crate::engine::primitives::{Binary, Compare, Primitive, Unary};
use crate::mathematics::tensor_math::TensorMath;
use crate::random::Random;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// The numbers of an activation, in the order of its arguments; those that it does not have are NaN.
pub(crate) type Numbers = [f64; 2];

/// An activation: a function of a tensor of floating point and of its numbers.
pub(crate) type Activation<E> = fn(&E, &<E as Engine>::Tensor, Numbers) -> Result<<E as Engine>::Tensor>;

/// Elements limited to 0 and 6; the gradient is 0 at both ends.
pub(crate) fn relu6<E: Engine>(engine: &E, x: &E::Tensor, _: Numbers) -> Result<E::Tensor> {
    hardtanh(engine, x, [0.0, 6.0])
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
    widened(engine, x, &|x| function(engine, x, numbers))
}

/// x where it is positive, else `slope` x.
pub(crate) fn leakyrelu<E: Engine>(engine: &E, x: &E::Tensor, [slope, _]: Numbers) -> Result<E::Tensor> {
    let below = engine.with_number(Binary::Mul, x, slope)?;
    engine.choose(&engine.compare_number(Compare::Gt, x, 0.0)?, x, &below)
}

/// x where it is positive, else `alpha` (exp(x) - 1).
pub(crate) fn elu<E: Engine>(engine: &E, x: &E::Tensor, [alpha, _]: Numbers) -> Result<E::Tensor> {
    exponential(engine, x, 1.0, alpha, 1.0)
}

/// x where it is positive, else `alpha` (exp(x / `alpha`) - 1).
///
/// # Errors
/// [`Code::Argument`] for an alpha of 0.
pub(crate) fn celu<E: Engine>(engine: &E, x: &E::Tensor, [alpha, _]: Numbers) -> Result<E::Tensor> {
    if alpha == 0.0 {
        return Err(Error::new(Code::Argument, "expected alpha other than 0, given 0"));
    }
    exponential(engine, x, 1.0, alpha, 1.0 / alpha)
}

/// The scaled exponential unit. Klambauer et al. 2017, <https://arxiv.org/abs/1706.02515>.
pub(crate) fn selu<E: Engine>(engine: &E, x: &E::Tensor, _: Numbers) -> Result<E::Tensor> {
    exponential(engine, x, SELU_SCALE, SELU_SCALE * SELU_ALPHA, 1.0)
}

/// The scale of SELU, with which outputs keep variance 1; as in the paper and in PyTorch.
pub(crate) const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
/// The factor of the exponential part of SELU; as in the paper and in PyTorch.
pub(crate) const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

/// x sigmoid(x).
pub(crate) fn silu<E: Engine>(engine: &E, x: &E::Tensor, _: Numbers) -> Result<E::Tensor> {
    engine.binary(Binary::Mul, x, &engine.unary(Unary::Sigmoid, x)?)
}

/// x tanh(log(1 + exp(x))).
pub(crate) fn mish<E: Engine>(engine: &E, x: &E::Tensor, _: Numbers) -> Result<E::Tensor> {
    engine.binary(Binary::Mul, x, &engine.unary(Unary::Tanh, &log1p_exp(engine, x)?)?)
}

/// log(1 + exp(`beta` x)) / `beta`, and x itself where `beta` x is above the threshold.
///
/// # Errors
/// [`Code::Argument`] for a beta of 0.
pub(crate) fn softplus<E: Engine>(engine: &E, x: &E::Tensor, [beta, threshold]: Numbers) -> Result<E::Tensor> {
    if beta == 0.0 {
        return Err(Error::new(Code::Argument, "expected a beta other than 0, given 0"));
    }
    let scaled = if beta == 1.0 { x.clone() } else { engine.with_number(Binary::Mul, x, beta)? };
    let mut soft = log1p_exp(engine, &scaled)?;
    if beta != 1.0 {
        soft = engine.with_number(Binary::Div, &soft, beta)?;
    }
    engine.choose(&engine.compare_number(Compare::Gt, &scaled, threshold)?, x, &soft)
}

/// log1p(exp(-|x|)) + max(x, 0), which does not overflow. At 0 the gradient of the maximum is 1/2, and the other term's 0.
pub(crate) fn log1p_exp<E: Engine>(engine: &E, x: &E::Tensor) -> Result<E::Tensor> {
    let small = engine.unary(Unary::Exp, &engine.unary(Unary::Neg, &engine.unary(Unary::Abs, x)?)?)?;
    let large = engine.with_number(Binary::Maximum, x, 0.0)?;
    engine.binary(Binary::Add, &engine.unary(Unary::Log1p, &small)?, &large)
}

/// x / (1 + abs(x)).
pub(crate) fn softsign<E: Engine>(engine: &E, x: &E::Tensor, _: Numbers) -> Result<E::Tensor> {
    let divisor = engine.with_number(Binary::Add, &engine.unary(Unary::Abs, x)?, 1.0)?;
    engine.binary(Binary::Div, x, &divisor)
}

/// Elements limited to `min` and `max`; the gradient is 0 at both ends.
///
/// # Errors
/// [`Code::Argument`] if `min` is above `max`.
pub(crate) fn hardtanh<E: Engine>(engine: &E, x: &E::Tensor, [min, max]: Numbers) -> Result<E::Tensor> {
    if min > max {
        let message = format!("expected a min of at most max, given min {min} and max {max}");
        return Err(Error::new(Code::Argument, message));
    }
    let x = engine.choose(&engine.compare_number(Compare::Le, x, min)?, &engine.number_like(x, min)?, x)?;
    engine.choose(&engine.compare_number(Compare::Ge, &x, max)?, &engine.number_like(&x, max)?, &x)
}

/// x where |x| > `lambda`, else 0.
pub(crate) fn hardshrink<E: Engine>(engine: &E, x: &E::Tensor, [lambda, _]: Numbers) -> Result<E::Tensor> {
    let is_small = engine.compare_number(Compare::Le, &engine.unary(Unary::Abs, x)?, lambda)?;
    engine.choose(&is_small, &engine.number_like(x, 0.0)?, x)
}

/// x moved towards 0 by `lambda`, and 0 where |x| <= `lambda`.
pub(crate) fn softshrink<E: Engine>(engine: &E, x: &E::Tensor, [lambda, _]: Numbers) -> Result<E::Tensor> {
    let moved = engine.with_number(Binary::Mul, &engine.unary(Unary::Sign, x)?, lambda)?;
    let is_small = engine.compare_number(Compare::Le, &engine.unary(Unary::Abs, x)?, lambda)?;
    engine.choose(&is_small, &engine.number_like(x, 0.0)?, &engine.binary(Binary::Sub, x, &moved)?)
}

/// x - tanh(x).
pub(crate) fn tanhshrink<E: Engine>(engine: &E, x: &E::Tensor, _: Numbers) -> Result<E::Tensor> {
    engine.binary(Binary::Sub, x, &engine.unary(Unary::Tanh, x)?)
}

/// The logarithm of the sigmoid.
pub(crate) fn logsigmoid<E: Engine>(engine: &E, x: &E::Tensor, _: Numbers) -> Result<E::Tensor> {
    engine.unary(Unary::Neg, &log1p_exp(engine, &engine.unary(Unary::Neg, x)?)?)
}

/// x where it is larger than the threshold, else the value.
pub(crate) fn threshold<E: Engine>(engine: &E, x: &E::Tensor, [threshold, value]: Numbers) -> Result<E::Tensor> {
    engine.choose(&engine.compare_number(Compare::Le, x, threshold)?, &engine.number_like(x, value)?, x)
}

/// `softmax` of -x.
pub(crate) fn softmin<E: Engine>(engine: &E, x: &E::Tensor, dim: i64) -> Result<E::Tensor> {
    engine.primitive(Primitive::Softmax(engine.dim(x, dim)?), &[&engine.unary(Unary::Neg, x)?])
}

/// The first half along a dimension times the sigmoid of the second.
///
/// # Errors
/// [`Code::Shape`] unless the dimension has an even size.
pub(crate) fn glu<E: Engine>(engine: &E, x: &E::Tensor, [dim, _]: Numbers) -> Result<E::Tensor> {
    let (shape, dim) = (engine.shape(x)?, engine.dim(x, dim as i64)?);
    match shape.get(dim) {
        Some(size) if size.is_multiple_of(2) => {
            let half = size / 2;
            let gate = engine.unary(Unary::Sigmoid, &engine.slice(x, dim, half, half)?)?;
            engine.binary(Binary::Mul, &engine.slice(x, dim, 0, half)?, &gate)
        }
        _ => {
            let message = format!("expected an even size of dimension {dim}, given shape {shape:?}");
            Err(Error::new(Code::Shape, message))
        }
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
            let message = format!(
                "expected a weight of shape [1] or [{channels}] for x of shape {shape:?}, given shape {weights:?}"
            );
            return Err(Error::new(Code::Shape, message));
        }
    }
    let below = engine.binary(Binary::Mul, x, &engine.with_shape(weight, &own)?)?;
    engine.choose(&engine.compare_number(Compare::Gt, x, 0.0)?, x, &below)
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
        let message = format!("expected a lower of at most upper, given lower {lower} and upper {upper}");
        return Err(Error::new(Code::Argument, message));
    }
    let (shape, dtype) = (engine.shape(x)?, engine.dtype(x)?);
    let below = if training {
        let count = checked_element_count(engine, &shape, Dtype::Double)?;
        let slopes = collected((0..count).map(|_| lower + random.unit() * (upper - lower)))?;
        let slopes = engine.tensor(&Data::Double(slopes).cast(dtype)?, &shape, engine.device(x)?)?;
        engine.binary(Binary::Mul, x, &slopes)?
    } else {
        engine.with_number(Binary::Mul, x, f64::midpoint(lower, upper))?
    };
    engine.choose(&engine.compare_number(Compare::Le, x, 0.0)?, &below, x)
}

/// `above` x where it is positive, else `below` (exp(`rate` x) - 1). The exponent is limited to 0, so that it does not overflow.
fn exponential<E: Engine>(engine: &E, x: &E::Tensor, above: f64, below: f64, rate: f64) -> Result<E::Tensor> {
    let is_above = engine.compare_number(Compare::Gt, x, 0.0)?;
    let limited = engine.choose(&is_above, &engine.number_like(x, 0.0)?, x)?;
    let power = engine.unary(Unary::Expm1, &engine.with_number(Binary::Mul, &limited, rate)?)?;
    let scaled = if above == 1.0 { x.clone() } else { engine.with_number(Binary::Mul, x, above)? };
    engine.choose(&is_above, &scaled, &engine.with_number(Binary::Mul, &power, below)?)
}
