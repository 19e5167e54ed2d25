//! Losses of classes: targets are indices of classes, or one number for each class.

use stepwell_optim::{Code, Error, Result, Shared};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Cumulative, Primitive, Reduce, Unary};
use crate::mathematics::activation::log1p_exp;
use crate::mathematics::calculation::{Calculation, Node};
use crate::nn::loss::elements::{at_least_zero, weights};
use crate::nn::loss::terms::Terms;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// Cross entropy of logits, or the negative log-likelihood of log-probabilities.
#[derive(Clone, Debug)]
pub(crate) struct ClassLoss {
    pub(crate) logits: bool,
    pub(crate) ignore: i64,
    pub(crate) weight: Option<Shared<[f64]>>,
    pub(crate) smoothing: f64,
}

/// Cross entropy or negative log-likelihood with weights of classes, or with smoothed targets, of `[n, c, *]`. Targets are
/// checked classes `[n, *]`, or probabilities `[n, c, *]`.
///
/// Smoothed targets: Szegedy et al. 2016, <https://arxiv.org/abs/1512.00567>.
pub(crate) fn cross_entropy<E: Engine>(c: &Calculation<'_, E>, loss: &ClassLoss, [x, y]: [Node; 2]) -> Result<Terms> {
    let x = if loss.logits { c.primitive(Primitive::LogSoftmax(1), &[x]) } else { x };
    let mut shape = c.shape(x)?;
    let classes = shape[1];
    let (smoothing, share) = (loss.smoothing, loss.smoothing / classes as f64);
    // -w x: the loss of each class.
    let negative = c.unary(Unary::Neg, x);
    let each = match &loss.weight {
        Some(weight) => {
            let mut along = vec![1; shape.len()];
            along[1] = classes;
            let weight = c.with_shape(all_weights(c, x, weight, classes), &along);
            c.binary(Binary::Mul, negative, weight)
        }
        None => negative,
    };
    let spread = || c.with_number(Binary::Mul, c.sum(each, 1), share);
    if c.dtype(y)? != Dtype::Long {
        let own = c.sum(c.binary(Binary::Mul, each, y), 1);
        let own = c.with_number(Binary::Mul, own, 1.0 - smoothing);
        return Ok(Terms::each(if smoothing == 0.0 { own } else { c.binary(Binary::Add, own, spread()) }));
    }
    let is_ignored = c.compare_number(Compare::Eq, y, loss.ignore as f64);
    let safe = c.number_where(is_ignored, 0.0, y);
    shape[1] = 1;
    let own = c.primitive(Primitive::Gather(1), &[each, c.with_shape(safe, &shape)]);
    let mut losses = c.with_shape(own, &c.shape(y)?);
    if smoothing > 0.0 {
        let own = c.with_number(Binary::Mul, losses, 1.0 - smoothing);
        losses = c.binary(Binary::Add, own, spread());
    }
    let losses = c.number_where(is_ignored, 0.0, losses);
    let given = longs(c, y)?;
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
fn all_weights<E: Engine>(c: &Calculation<'_, E>, x: Node, given: &[f64], classes: usize) -> Node {
    c.expand(weights(c, x, "weight", given, classes), &[classes])
}

/// The elements of a tensor of long.
pub(crate) fn longs<E: Engine>(c: &Calculation<'_, E>, x: Node) -> Result<Vec<i64>> {
    match c.engine.data(&c.result(x)?)? {
        Data::Long(elements) => Ok(elements),
        _ => Err(Error::new(Code::Internal, "classes of another dtype than long")),
    }
}

/// Fails for a target outside of `least..classes`.
pub(crate) fn check_range<E: Engine>(c: &Calculation<'_, E>, y: Node, least: i64, classes: usize) -> Result<()> {
    match longs(c, y)?.iter().find(|class| !(least..classes as i64).contains(*class)) {
        None => Ok(()),
        Some(class) => {
            let last = classes as i64 - 1;
            Err(Error::new(Code::Argument, format_args!("expected classes from {least} to {last}, given {class}")))
        }
    }
}

/// `[n, c]` and `[n]`, or `[c]` and `[]`, as the former.
fn rows<E: Engine>(c: &Calculation<'_, E>, [x, y]: [Node; 2]) -> Result<(Node, Node)> {
    let (mut shape, mut targets) = (c.shape(x)?, c.shape(y)?);
    if shape.len() == 1 {
        shape.insert(0, 1);
        targets.insert(0, 1);
    }
    Ok((c.with_shape(x, &shape), c.with_shape(y, &targets)))
}

/// The sum over classes other than y of max(0, margin - x[y] + x)^p, with p 1 or 2, divided by the number of classes.
pub(crate) fn multi_margin<E: Engine>(
    c: &Calculation<'_, E>,
    [x, y]: [Node; 2],
    square: bool,
    margin: f64,
    weight: Option<&[f64]>,
) -> Result<Node> {
    let (losses_shape, classes) = (c.shape(y)?, c.shape(x)?.last().copied().unwrap_or(1));
    check_range(c, y, 0, classes)?;
    let (x, y) = rows(c, [x, y])?;
    let column_shape = [c.shape(y)?[0], 1];
    let column = c.with_shape(y, &column_shape);
    let own = c.primitive(Primitive::Gather(1), &[x, column]);
    let difference = c.with_number(Binary::Add, c.binary(Binary::Sub, x, own), margin);
    let mut each = at_least_zero(c, difference);
    if square {
        each = c.binary(Binary::Mul, each, each);
    }
    if let Some(weight) = weight {
        let weight = all_weights(c, x, weight, classes);
        let of_target = c.primitive(Primitive::IndexSelect(0), &[weight, y]);
        each = c.binary(Binary::Mul, each, c.with_shape(of_target, &column_shape));
    }
    let indices = c.tensor(x, Data::Long((0..classes as i64).collect()), &[classes]);
    let is_own = c.compare(Compare::Eq, column, indices);
    let each = c.number_where(is_own, 0.0, each);
    let sum = c.with_number(Binary::Div, c.sum(each, 1), classes as f64);
    Ok(c.with_shape(sum, &losses_shape))
}

/// The sum over each target j and each class k that is not a target of max(0, 1 - x[j] + x[k]), divided by the number of classes.
/// Targets are the classes before the first -1 of a row.
pub(crate) fn multi_label<E: Engine>(c: &Calculation<'_, E>, [x, y]: [Node; 2]) -> Result<Node> {
    let shape = c.shape(x)?;
    let (losses_shape, classes) = (shape[..shape.len() - 1].to_vec(), shape[shape.len() - 1]);
    check_range(c, y, -1, classes)?;
    let samples = losses_shape.iter().product();
    let (x, y) = (c.with_shape(x, &[samples, classes]), c.with_shape(y, &[samples, classes]));
    let is_end = c.cast(c.compare_number(Compare::Lt, y, 0.0), Dtype::Long);
    let ends = c.primitive(Primitive::Cumulative { kind: Cumulative::Sum, dim: 1 }, &[is_end]);
    let is_target = c.compare_number(Compare::Eq, ends, 0.0);
    let safe = c.choose(is_target, y, c.number(y, 0.0));
    let one_each = c.with_dtype_of(is_target, x);
    // A class counts as often as a row names it.
    let zeros = c.with_number(Binary::Mul, one_each, 0.0);
    let counts = c.primitive(Primitive::ScatterAdd(1), &[zeros, safe, one_each]);
    let is_other = c.compare_number(Compare::Eq, counts, 0.0);
    let targets = c.with_shape(x, &[samples, classes, 1]);
    let others = c.with_shape(x, &[samples, 1, classes]);
    let difference = c.with_number(Binary::Add, c.checked_binary(Binary::Sub, others, targets), 1.0);
    let each = at_least_zero(c, difference);
    let is_other = c.with_shape(is_other, &[samples, 1, classes]);
    let each = c.choose(is_other, each, c.number(each, 0.0));
    let of_targets = c.binary(Binary::Mul, c.sum(each, 2), counts);
    let sum = c.with_number(Binary::Div, c.sum(of_targets, 1), classes as f64);
    Ok(c.with_shape(sum, &losses_shape))
}

/// The mean over classes of the binary cross entropy of logits, with the weight of each class.
pub(crate) fn multi_label_soft_margin<E: Engine>(
    c: &Calculation<'_, E>,
    [x, y]: [Node; 2],
    weight: Option<&[f64]>,
) -> Result<Node> {
    let shape = c.shape(x)?;
    let Some(classes) = shape.last().copied() else {
        return Err(Error::new(Code::Shape, "expected input of shape [*, classes], given []"));
    };
    // log(1 + exp(x)) - y x
    let mut each = c.binary(Binary::Sub, log1p_exp(c, x), c.binary(Binary::Mul, x, y));
    if let Some(weight) = weight {
        each = c.binary(Binary::Mul, each, weights(c, x, "weight", weight, classes));
    }
    Ok(c.reduce(Reduce::Mean, each, &[shape.len() - 1], false))
}
