//! Losses of elements: input and target have one shape and one dtype, and so have the losses.

use std::f64::consts::PI;

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Unary};
use crate::mathematics::activation::log1p_exp;
use crate::mathematics::tensor_math::TensorMath;
use crate::values::data::Data;

/// x where it is at least 0, else 0. The gradient at 0 is 1, as of PyTorch's `clamp_min`.
pub(crate) fn at_least_zero<E: Engine>(engine: &E, x: &E::Tensor) -> Result<E::Tensor> {
    let is_below = engine.compare_number(Compare::Lt, x, 0.0)?;
    engine.choose(&is_below, &engine.number_like(x, 0.0)?, x)
}

/// Numbers as a tensor of the dtype and on the device of `x`; one number has no dimension.
///
/// # Errors
/// [`Code::Shape`] unless there is one number, or `size` of them.
pub(crate) fn weights<E: Engine>(
    engine: &E,
    x: &E::Tensor,
    name: &str,
    numbers: &[f64],
    size: usize,
) -> Result<E::Tensor> {
    if numbers.len() != size && numbers.len() != 1 {
        let given = numbers.len();
        return Err(Error::new(Code::Shape, format!("option {name}: expected {size} numbers, given {given}")));
    }
    let data = Data::Double(numbers.to_vec()).cast(engine.dtype(x)?)?;
    let shape = if numbers.len() == 1 { vec![] } else { vec![numbers.len()] };
    engine.tensor(&data, &shape, engine.device(x)?)
}

/// (1 - y) x + (1 + (posweight - 1) y) log(1 + exp(-x)): the binary cross entropy of sigmoid(x).
pub(crate) fn weighted_logits<E: Engine>(
    engine: &E,
    x: &E::Tensor,
    y: &E::Tensor,
    posweight: &[f64],
) -> Result<E::Tensor> {
    let size = engine.shape(x)?.last().copied().unwrap_or(1);
    let less_one: Vec<f64> = posweight.iter().map(|weight| weight - 1.0).collect();
    let less_one = weights(engine, x, "posweight", &less_one, size)?;
    let factor = engine.with_number(Binary::Add, &engine.binary(Binary::Mul, y, &less_one)?, 1.0)?;
    let logarithm = log1p_exp(engine, &engine.unary(Unary::Neg, x)?)?;
    let negative = engine.binary(Binary::Sub, x, &engine.binary(Binary::Mul, x, y)?)?;
    engine.binary(Binary::Add, &negative, &engine.binary(Binary::Mul, &factor, &logarithm)?)
}

/// d² / 2 where |d| < delta, else delta (|d| - delta / 2), of d = x - y. Huber 1964.
pub(crate) fn huber<E: Engine>(engine: &E, x: &E::Tensor, y: &E::Tensor, delta: f64) -> Result<E::Tensor> {
    let difference = engine.binary(Binary::Sub, x, y)?;
    let size = engine.unary(Unary::Abs, &difference)?;
    let square = engine.with_number(Binary::Mul, &engine.binary(Binary::Mul, &size, &size)?, 0.5)?;
    let line = engine.with_number(Binary::Mul, &engine.with_number(Binary::Sub, &size, 0.5 * delta)?, delta)?;
    engine.choose(&engine.compare_number(Compare::Lt, &size, delta)?, &square, &line)
}

/// y (log y - x) of log-probabilities x; 0 where y = 0. With `log`, exp(y) (y - x).
pub(crate) fn kl<E: Engine>(engine: &E, x: &E::Tensor, y: &E::Tensor, log: bool) -> Result<E::Tensor> {
    if log {
        let share = engine.unary(Unary::Exp, y)?;
        return engine.binary(Binary::Mul, &share, &engine.binary(Binary::Sub, y, x)?);
    }
    // The logarithm of 0 would make gradients NaN.
    let is_zero = engine.compare_number(Compare::Eq, y, 0.0)?;
    let logarithm = engine.unary(Unary::Log, &engine.choose(&is_zero, &engine.number_like(y, 1.0)?, y)?)?;
    engine.binary(Binary::Sub, &engine.binary(Binary::Mul, y, &logarithm)?, &engine.binary(Binary::Mul, y, x)?)
}

/// exp(x) - y x of the logarithm x of a rate; unless `log`, x - y log(x + eps) of the rate x. With `full`, Stirling's
/// approximation y log y - y + log(2 pi y) / 2 is added where y > 1.
pub(crate) fn poisson<E: Engine>(
    engine: &E,
    x: &E::Tensor,
    y: &E::Tensor,
    log: bool,
    full: bool,
    eps: f64,
) -> Result<E::Tensor> {
    let (rate, logarithm) = if log {
        (engine.unary(Unary::Exp, x)?, x.clone())
    } else {
        (x.clone(), engine.unary(Unary::Log, &engine.with_number(Binary::Add, x, eps)?)?)
    };
    let loss = engine.binary(Binary::Sub, &rate, &engine.binary(Binary::Mul, y, &logarithm)?)?;
    if !full {
        return Ok(loss);
    }
    let is_small = engine.compare_number(Compare::Le, y, 1.0)?;
    let safe = engine.choose(&is_small, &engine.number_like(y, 1.0)?, y)?;
    let product = engine.binary(Binary::Mul, &safe, &engine.unary(Unary::Log, &safe)?)?;
    let root = engine.unary(Unary::Log, &engine.with_number(Binary::Mul, &safe, 2.0 * PI)?)?;
    let root = engine.with_number(Binary::Mul, &root, 0.5)?;
    let stirling = engine.binary(Binary::Add, &engine.binary(Binary::Sub, &product, &safe)?, &root)?;
    let stirling = engine.choose(&is_small, &engine.number_like(y, 0.0)?, &stirling)?;
    engine.binary(Binary::Add, &loss, &stirling)
}

/// x where y = 1, and max(0, margin - x) where y = -1. Any other target adds both.
pub(crate) fn hinge<E: Engine>(engine: &E, x: &E::Tensor, y: &E::Tensor, margin: f64) -> Result<E::Tensor> {
    let zero = engine.number_like(x, 0.0)?;
    let rest = engine.with_number(Binary::Add, &engine.unary(Unary::Neg, x)?, margin)?;
    let rest = engine.choose(&engine.compare_number(Compare::Eq, y, 1.0)?, &zero, &at_least_zero(engine, &rest)?)?;
    let own = engine.choose(&engine.compare_number(Compare::Eq, y, -1.0)?, &zero, x)?;
    engine.binary(Binary::Add, &own, &rest)
}

/// log(1 + exp(-y x)).
pub(crate) fn soft_margin<E: Engine>(engine: &E, x: &E::Tensor, y: &E::Tensor) -> Result<E::Tensor> {
    log1p_exp(engine, &engine.unary(Unary::Neg, &engine.binary(Binary::Mul, x, y)?)?)
}
