//! Losses of classes: targets are indices of classes, or one number for each class.

use std::rc::Rc;

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Cumulative, Primitive, Reduce, Unary};
use crate::mathematics::activation::log1p_exp;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::loss::elements::{at_least_zero, weights};
use crate::nn::loss::terms::Terms;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// Cross entropy of logits, or the negative log-likelihood of log-probabilities.
#[derive(Clone, Debug)]
pub(crate) struct ClassLoss {
    pub(crate) logits: bool,
    pub(crate) ignore: i64,
    pub(crate) weight: Option<Rc<[f64]>>,
    pub(crate) smoothing: f64,
}

/// Cross entropy or negative log-likelihood with weights of classes, or with smoothed targets, of `[n, c, *]`. Targets are
/// checked classes `[n, *]`, or probabilities `[n, c, *]`.
///
/// Smoothed targets: Szegedy et al. 2016, <https://arxiv.org/abs/1512.00567>.
pub(crate) fn cross_entropy<E: Engine>(
    engine: &E,
    loss: &ClassLoss,
    x: &E::Tensor,
    y: &E::Tensor,
) -> Result<Terms<E::Tensor>> {
    let x = if loss.logits { engine.primitive(Primitive::LogSoftmax(1), &[x])? } else { x.clone() };
    let shape = engine.shape(&x)?;
    let classes = shape[1];
    let (smoothing, share) = (loss.smoothing, loss.smoothing / classes as f64);
    // -w x: the loss of each class.
    let negative = engine.unary(Unary::Neg, &x)?;
    let each = match &loss.weight {
        Some(weight) => {
            let mut along = vec![1; shape.len()];
            along[1] = classes;
            let weight = engine.with_shape(&all_weights(engine, &x, weight, classes)?, &along)?;
            engine.binary(Binary::Mul, &negative, &weight)?
        }
        None => negative,
    };
    let spread = || engine.with_number(Binary::Mul, &engine.reduce(Reduce::Sum, &each, &[1], false)?, share);
    if engine.dtype(y)? != Dtype::Long {
        let own = engine.reduce(Reduce::Sum, &engine.binary(Binary::Mul, &each, y)?, &[1], false)?;
        let own = engine.with_number(Binary::Mul, &own, 1.0 - smoothing)?;
        return Ok(Terms::each(if smoothing == 0.0 { own } else { engine.binary(Binary::Add, &own, &spread()?)? }));
    }
    let is_ignored = engine.compare_number(Compare::Eq, y, loss.ignore as f64)?;
    let safe = engine.choose(&is_ignored, &engine.number_like(y, 0.0)?, y)?;
    let mut along = shape.clone();
    along[1] = 1;
    let own = engine.primitive(Primitive::Gather(1), &[&each, &engine.with_shape(&safe, &along)?])?;
    let mut losses = engine.with_shape(&own, &engine.shape(y)?)?;
    if smoothing > 0.0 {
        let own = engine.with_number(Binary::Mul, &losses, 1.0 - smoothing)?;
        losses = engine.binary(Binary::Add, &own, &spread()?)?;
    }
    let losses = engine.choose(&is_ignored, &engine.number_like(&losses, 0.0)?, &losses)?;
    let Data::Long(given) = engine.data(y)? else {
        return Err(Error::new(Code::Internal, "classes of another dtype than long"));
    };
    Ok(Terms { losses, divisor: Some(loss.divisor(&given)) })
}

impl ClassLoss {
    /// The divisor of the mean: the number of classes that count, or the sum of their weights.
    pub(crate) fn divisor(&self, classes: &[i64]) -> f64 {
        let weight_of = |class: &i64| match &self.weight {
            Some(weight) if weight.len() == 1 => weight[0],
            Some(weight) => usize::try_from(*class).ok().and_then(|class| weight.get(class)).copied().unwrap_or(0.0),
            None => 1.0,
        };
        classes.iter().filter(|class| **class != self.ignore).map(weight_of).sum()
    }
}

/// Weights of all classes; one number is the weight of each.
fn all_weights<E: Engine>(engine: &E, x: &E::Tensor, given: &[f64], classes: usize) -> Result<E::Tensor> {
    let weight = weights(engine, x, "weight", given, classes)?;
    engine.primitive(Primitive::Expand(vec![classes]), &[&weight])
}

/// Indices of all classes, `[c]`, on the device of `x`.
fn indices_of_classes<E: Engine>(engine: &E, x: &E::Tensor, classes: usize) -> Result<E::Tensor> {
    let indices = (0..classes as i64).collect();
    engine.tensor(&Data::Long(indices), &[classes], engine.device(x)?)
}

/// Fails for a target outside of `least..classes`.
pub(crate) fn check_range<E: Engine>(engine: &E, y: &E::Tensor, least: i64, classes: usize) -> Result<()> {
    let Data::Long(given) = engine.data(y)? else {
        return Err(Error::new(Code::Internal, "classes of another dtype than long"));
    };
    match given.iter().find(|class| !(least..classes as i64).contains(*class)) {
        None => Ok(()),
        Some(class) => {
            let last = classes as i64 - 1;
            Err(Error::new(Code::Argument, format!("expected classes from {least} to {last}, given {class}")))
        }
    }
}

/// `[n, c]` and `[n]`, or `[c]` and `[]`, as the former.
fn rows<E: Engine>(engine: &E, x: &E::Tensor, y: &E::Tensor) -> Result<(E::Tensor, E::Tensor)> {
    let (mut shape, mut targets) = (engine.shape(x)?, engine.shape(y)?);
    if shape.len() == 1 {
        shape.insert(0, 1);
        targets.insert(0, 1);
    }
    Ok((engine.with_shape(x, &shape)?, engine.with_shape(y, &targets)?))
}

/// The sum over classes other than y of max(0, margin - x[y] + x)^p, with p 1 or 2, divided by the number of classes.
pub(crate) fn multi_margin<E: Engine>(
    engine: &E,
    x: &E::Tensor,
    y: &E::Tensor,
    square: bool,
    margin: f64,
    weight: Option<&[f64]>,
) -> Result<E::Tensor> {
    let (losses_shape, classes) = (engine.shape(y)?, engine.shape(x)?.last().copied().unwrap_or(1));
    check_range(engine, y, 0, classes)?;
    let (x, y) = rows(engine, x, y)?;
    let column = engine.with_shape(&y, &[engine.shape(&y)?[0], 1])?;
    let own = engine.primitive(Primitive::Gather(1), &[&x, &column])?;
    let difference = engine.with_number(Binary::Add, &engine.binary(Binary::Sub, &x, &own)?, margin)?;
    let mut each = at_least_zero(engine, &difference)?;
    if square {
        each = engine.binary(Binary::Mul, &each, &each)?;
    }
    if let Some(weight) = weight {
        let weight = all_weights(engine, &x, weight, classes)?;
        let of_target = engine.primitive(Primitive::IndexSelect(0), &[&weight, &y])?;
        each = engine.binary(Binary::Mul, &each, &engine.with_shape(&of_target, &engine.shape(&column)?)?)?;
    }
    let is_own = engine.compare(Compare::Eq, &column, &indices_of_classes(engine, &x, classes)?)?;
    let each = engine.choose(&is_own, &engine.number_like(&each, 0.0)?, &each)?;
    let sum = engine.with_number(Binary::Div, &engine.reduce(Reduce::Sum, &each, &[1], false)?, classes as f64)?;
    engine.with_shape(&sum, &losses_shape)
}

/// The sum over each target j and each class k that is not a target of max(0, 1 - x[j] + x[k]), divided by the number of classes.
/// Targets are the classes before the first -1 of a row.
pub(crate) fn multi_label<E: Engine>(engine: &E, x: &E::Tensor, y: &E::Tensor) -> Result<E::Tensor> {
    let shape = engine.shape(x)?;
    let (losses_shape, classes) = (shape[..shape.len() - 1].to_vec(), shape[shape.len() - 1]);
    check_range(engine, y, -1, classes)?;
    let samples = losses_shape.iter().product();
    let (x, y) = (engine.with_shape(x, &[samples, classes])?, engine.with_shape(y, &[samples, classes])?);
    let is_end = engine.cast(engine.compare_number(Compare::Lt, &y, 0.0)?, Dtype::Long)?;
    let ends = engine.primitive(Primitive::Cumulative { kind: Cumulative::Sum, dim: 1 }, &[&is_end])?;
    let is_target = engine.compare_number(Compare::Eq, &ends, 0.0)?;
    let safe = engine.choose(&is_target, &y, &engine.number_like(&y, 0.0)?)?;
    let one_each = engine.cast(is_target, engine.dtype(&x)?)?;
    // A class counts as often as a row names it.
    let zeros = engine.with_number(Binary::Mul, &one_each, 0.0)?;
    let counts = engine.primitive(Primitive::ScatterAdd(1), &[&zeros, &safe, &one_each])?;
    let is_other = engine.compare_number(Compare::Eq, &counts, 0.0)?;
    let targets = engine.with_shape(&x, &[samples, classes, 1])?;
    let others = engine.with_shape(&x, &[samples, 1, classes])?;
    let difference = engine.with_number(Binary::Add, &engine.binary(Binary::Sub, &others, &targets)?, 1.0)?;
    let each = at_least_zero(engine, &difference)?;
    let is_other = engine.with_shape(&is_other, &[samples, 1, classes])?;
    let each = engine.choose(&is_other, &each, &engine.number_like(&each, 0.0)?)?;
    let of_targets = engine.binary(Binary::Mul, &engine.reduce(Reduce::Sum, &each, &[2], false)?, &counts)?;
    let sum =
        engine.with_number(Binary::Div, &engine.reduce(Reduce::Sum, &of_targets, &[1], false)?, classes as f64)?;
    engine.with_shape(&sum, &losses_shape)
}

/// The mean over classes of the binary cross entropy of logits, with the weight of each class.
pub(crate) fn multi_label_soft_margin<E: Engine>(
    engine: &E,
    x: &E::Tensor,
    y: &E::Tensor,
    weight: Option<&[f64]>,
) -> Result<E::Tensor> {
    let shape = engine.shape(x)?;
    let Some(classes) = shape.last().copied() else {
        return Err(Error::new(Code::Shape, "expected input of shape [*, classes], given []"));
    };
    // log(1 + exp(x)) - y x
    let mut each = engine.binary(Binary::Sub, &log1p_exp(engine, x)?, &engine.binary(Binary::Mul, x, y)?)?;
    if let Some(weight) = weight {
        each = engine.binary(Binary::Mul, &each, &weights(engine, x, "weight", weight, classes)?)?;
    }
    engine.reduce(Reduce::Mean, &each, &[shape.len() - 1], false)
}
