//! Connectionist temporal classification. Graves et al. 2006, "Connectionist Temporal Classification: Labelling Unsegmented
//! Sequence Data with Recurrent Neural Networks".

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Primitive, Unary};
use crate::mathematics::calculation::{Calculation, Node};
use crate::nn::loss::classes::{check_range, longs};
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// The logarithm of a probability of 0. It is finite, since the difference of two infinities would make gradients NaN.
const IMPOSSIBLE: f64 = -1e30;

/// The losses `[n]` of log-probabilities `[t, n, c]` for targets `[n, s]`, with the lengths of both; or of one sample, without
/// `n`. `by_length` divides each loss by the length of its target.
pub(crate) fn ctc<E: Engine>(
    c: &Calculation<'_, E>,
    x: Node,
    targets: Node,
    [input_lengths, target_lengths]: [Node; 2],
    blank: i64,
    zero_infinity: bool,
    by_length: bool,
) -> Result<Node> {
    let (shape, target_shape) = (c.shape(x)?, c.shape(targets)?);
    let (steps, samples, classes, labels) = match (shape.as_slice(), target_shape.as_slice()) {
        ([t, n, c], [m, s]) if n == m => (*t, *n, *c, *s),
        ([t, c], [s]) => (*t, 1, *c, *s),
        _ => {
            let message = format_args!(
                "expected log-probabilities of shape [t, n, c] and targets [n, s], or [t, c] and [s], given {shape:?} and \
                 {target_shape:?}"
            );
            return Err(Error::new(Code::Shape, message));
        }
    };
    let dtype = c.dtype(x)?;
    if !matches!(dtype, Dtype::Float | Dtype::Double) {
        let message = format_args!("expected log-probabilities of dtype float or double, given {}", dtype.name());
        return Err(Error::new(Code::Dtype, message));
    }
    if blank >= classes as i64 {
        return Err(Error::new(
            Code::OptionRange,
            format_args!("blank: expected a class below {classes}, given {blank}"),
        ));
    }
    check_range(c, targets, 0, classes)?;
    let inputs = lengths(c, "input", input_lengths, samples, steps)?;
    let lengths = lengths(c, "target", target_lengths, samples, labels)?;
    let width = 2 * labels + 1;

    // Each target with a blank before, between and after its labels.
    let given = longs(c, targets)?;
    let (mut path, mut skips) = (vec![blank; samples * width], vec![false; samples * width]);
    for sample in 0..samples {
        let row = sample * width;
        for label in 0..labels {
            path[row + 2 * label + 1] = given[sample * labels + label];
        }
        for at in 2..width {
            skips[row + at] = path[row + at] != blank && path[row + at] != path[row + at - 2];
        }
    }
    let path = c.expand(c.tensor(x, Data::Long(path), &[1, samples, width]), &[steps, samples, width]);
    let skips = c.tensor(x, Data::Bool(skips), &[samples, width]);
    let x = c.with_shape(x, &[steps, samples, classes]);
    let emissions = c.primitive(Primitive::Gather(2), &[x, path]);
    let impossible = c.number(x, IMPOSSIBLE);
    // The probabilities moved to the right by some labels.
    let shifted = |alpha, by: usize| {
        let by = by.min(width);
        c.cat(1, &[c.expand(impossible, &[samples, by]), c.slice(alpha, 1, 0, width - by)])
    };
    let log_sum = |parts: &[Node]| {
        let columns: Vec<_> = parts.iter().map(|part| c.with_shape(*part, &[samples, width, 1])).collect();
        let all = c.cat(2, &columns);
        c.primitive(Primitive::LogSumExp { dims: vec![2], keepdim: false }, &[all])
    };

    // A path begins with the first blank or the first label: before the first step only the blank before it is possible.
    let mut before = vec![IMPOSSIBLE; samples * width];
    before.iter_mut().step_by(width).for_each(|first| *first = 0.0);
    let mut alpha = c.tensor(x, Data::Double(before), &[samples, width]);
    for step in 0..steps {
        let emission = c.with_shape(c.slice(emissions, 0, step, 1), &[samples, width]);
        let next = if step == 0 {
            log_sum(&[alpha, shifted(alpha, 1)])
        } else {
            let skipped = c.choose(skips, shifted(alpha, 2), impossible);
            log_sum(&[alpha, shifted(alpha, 1), skipped])
        };
        let next = c.binary(Binary::Add, next, emission);
        let is_active: Vec<bool> = inputs.iter().map(|length| step < *length).collect();
        let is_active = c.tensor(x, Data::Bool(is_active), &[samples, 1]);
        alpha = c.choose(is_active, next, alpha);
    }

    // A path ends with the last label or the blank after it.
    let last: Vec<i64> =
        lengths.iter().flat_map(|length| [2 * *length as i64, (2 * *length as i64 - 1).max(0)]).collect();
    let has_label: Vec<bool> = lengths.iter().flat_map(|length| [true, *length > 0]).collect();
    let last = c.tensor(x, Data::Long(last), &[samples, 2]);
    let has_label = c.tensor(x, Data::Bool(has_label), &[samples, 2]);
    let ends = c.primitive(Primitive::Gather(1), &[alpha, last]);
    let ends = c.choose(has_label, ends, impossible);
    let sum = c.primitive(Primitive::LogSumExp { dims: vec![1], keepdim: false }, &[ends]);
    let mut losses = c.unary(Unary::Neg, sum);
    if by_length {
        let divisors = lengths.iter().map(|length| (*length).max(1) as f64).collect();
        losses = c.binary(Binary::Div, losses, c.tensor(x, Data::Double(divisors), &[samples]));
    }
    let is_impossible = c.compare_number(Compare::Lt, sum, IMPOSSIBLE / 2.0);
    let infinite = c.number(x, if zero_infinity { 0.0 } else { f64::INFINITY });
    let losses = c.choose(is_impossible, infinite, losses);
    Ok(c.with_shape(losses, &shape[1..shape.len() - 1]))
}

/// The lengths `[n]`, each at most `most`.
fn lengths<E: Engine>(
    c: &Calculation<'_, E>,
    of: &str,
    given: Node,
    samples: usize,
    most: usize,
) -> Result<Vec<usize>> {
    let (shape, list) = (c.shape(given)?, longs(c, given)?);
    if list.len() != samples || shape.len() > 1 {
        let message = format_args!("expected {of} lengths of shape [{samples}], given {shape:?}");
        return Err(Error::new(Code::Shape, message));
    }
    let mut lengths = Vec::new();
    for length in list {
        match usize::try_from(length).ok().filter(|length| *length <= most) {
            Some(length) => lengths.push(length),
            None => {
                let message = format_args!("expected {of} lengths from 0 to {most}, given {length}");
                return Err(Error::new(Code::Argument, message));
            }
        }
    }
    Ok(lengths)
}
