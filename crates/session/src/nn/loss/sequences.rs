//! Connectionist temporal classification. Graves et al. 2006, "Connectionist Temporal Classification: Labelling Unsegmented
//! Sequence Data with Recurrent Neural Networks".

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Primitive, Unary};
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::loss::classes::check_range;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// The logarithm of a probability of 0. It is finite, since the difference of two infinities would make gradients NaN.
const IMPOSSIBLE: f64 = -1e30;

/// The losses `[n]` of log-probabilities `[t, n, c]` for targets `[n, s]`, with the lengths of both; or of one sample, without
/// `n`. `by_length` divides each loss by the length of its target.
pub(crate) fn ctc<E: Engine>(
    engine: &E,
    x: &E::Tensor,
    targets: &E::Tensor,
    [input_lengths, target_lengths]: [&E::Tensor; 2],
    blank: i64,
    zero_infinity: bool,
    by_length: bool,
) -> Result<E::Tensor> {
    let (shape, target_shape) = (engine.shape(x)?, engine.shape(targets)?);
    let (steps, samples, classes, labels) = match (shape.as_slice(), target_shape.as_slice()) {
        ([t, n, c], [m, s]) if n == m => (*t, *n, *c, *s),
        ([t, c], [s]) => (*t, 1, *c, *s),
        _ => {
            let message = format!(
                "expected log-probabilities of shape [t, n, c] and targets [n, s], or [t, c] and [s], given {shape:?} and \
                 {target_shape:?}"
            );
            return Err(Error::new(Code::Shape, message));
        }
    };
    if !matches!(engine.dtype(x)?, Dtype::Float | Dtype::Double) {
        let message = format!("expected log-probabilities of dtype float or double, given {}", engine.dtype(x)?.name());
        return Err(Error::new(Code::Dtype, message));
    }
    if blank >= classes as i64 {
        return Err(Error::new(Code::OptionRange, format!("blank: expected a class below {classes}, given {blank}")));
    }
    check_range(engine, targets, 0, classes)?;
    let inputs = lengths(engine, "input", input_lengths, samples, steps)?;
    let lengths = lengths(engine, "target", target_lengths, samples, labels)?;
    let device = engine.device(x)?;
    let width = 2 * labels + 1;

    // Each target with a blank before, between and after its labels.
    let Data::Long(given) = engine.data(targets)? else {
        return Err(Error::new(Code::Internal, "targets of another dtype than long"));
    };
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
    let path = engine.tensor(&Data::Long(path), &[1, samples, width], device)?;
    let path = engine.primitive(Primitive::Expand(vec![steps, samples, width]), &[&path])?;
    let skips = engine.tensor(&Data::Bool(skips), &[samples, width], device)?;
    let x = engine.with_shape(x, &[steps, samples, classes])?;
    let emissions = engine.primitive(Primitive::Gather(2), &[&x, &path])?;
    let impossible = engine.number_like(&x, IMPOSSIBLE)?;
    let never = |columns: usize| engine.primitive(Primitive::Expand(vec![samples, columns]), &[&impossible]);
    // The probabilities moved to the right by some labels.
    let shifted = |alpha: &E::Tensor, by: usize| {
        let by = by.min(width);
        engine.primitive(Primitive::Cat(1), &[&never(by)?, &engine.slice(alpha, 1, 0, width - by)?])
    };
    let log_sum = |parts: &[&E::Tensor]| {
        let mut columns = Vec::new();
        for part in parts {
            let mut shape = engine.shape(part)?;
            shape.push(1);
            columns.push(engine.with_shape(part, &shape)?);
        }
        let all = engine.primitive(Primitive::Cat(2), &columns.iter().collect::<Vec<_>>())?;
        engine.primitive(Primitive::LogSumExp { dims: vec![2], keepdim: false }, &[&all])
    };

    // A path begins with the first blank or the first label: before the first step only the blank before it is possible.
    let mut before = vec![IMPOSSIBLE; samples * width];
    before.iter_mut().step_by(width).for_each(|first| *first = 0.0);
    let before = Data::Double(before).cast(engine.dtype(&x)?)?;
    let mut alpha = engine.tensor(&before, &[samples, width], device)?;
    for step in 0..steps {
        let emission = engine.with_shape(&engine.slice(&emissions, 0, step, 1)?, &[samples, width])?;
        let next = if step == 0 {
            log_sum(&[&alpha, &shifted(&alpha, 1)?])?
        } else {
            let skipped = engine.choose(&skips, &shifted(&alpha, 2)?, &impossible)?;
            log_sum(&[&alpha, &shifted(&alpha, 1)?, &skipped])?
        };
        let next = engine.binary(Binary::Add, &next, &emission)?;
        let is_active: Vec<bool> = inputs.iter().map(|length| step < *length).collect();
        let is_active = engine.tensor(&Data::Bool(is_active), &[samples, 1], device)?;
        alpha = engine.choose(&is_active, &next, &alpha)?;
    }

    // A path ends with the last label or the blank after it.
    let last: Vec<i64> =
        lengths.iter().flat_map(|length| [2 * *length as i64, (2 * *length as i64 - 1).max(0)]).collect();
    let has_label: Vec<bool> = lengths.iter().flat_map(|length| [true, *length > 0]).collect();
    let last = engine.tensor(&Data::Long(last), &[samples, 2], device)?;
    let has_label = engine.tensor(&Data::Bool(has_label), &[samples, 2], device)?;
    let ends = engine.primitive(Primitive::Gather(1), &[&alpha, &last])?;
    let ends = engine.choose(&has_label, &ends, &impossible)?;
    let sum = engine.primitive(Primitive::LogSumExp { dims: vec![1], keepdim: false }, &[&ends])?;
    let mut losses = engine.unary(Unary::Neg, &sum)?;
    if by_length {
        let divisors = lengths.iter().map(|length| (*length).max(1) as f64).collect();
        let divisors = engine.tensor(&Data::Double(divisors).cast(engine.dtype(&x)?)?, &[samples], device)?;
        losses = engine.binary(Binary::Div, &losses, &divisors)?;
    }
    let is_impossible = engine.compare_number(Compare::Lt, &sum, IMPOSSIBLE / 2.0)?;
    let infinite = engine.number_like(&x, if zero_infinity { 0.0 } else { f64::INFINITY })?;
    let losses = engine.choose(&is_impossible, &infinite, &losses)?;
    engine.with_shape(&losses, &shape[1..shape.len() - 1])
}

/// The lengths `[n]`, each at most `most`.
fn lengths<E: Engine>(engine: &E, of: &str, given: &E::Tensor, samples: usize, most: usize) -> Result<Vec<usize>> {
    let shape = engine.shape(given)?;
    let Data::Long(list) = engine.data(given)? else {
        return Err(Error::new(Code::Internal, "lengths of another dtype than long"));
    };
    if list.len() != samples || shape.len() > 1 {
        let message = format!("expected {of} lengths of shape [{samples}], given {shape:?}");
        return Err(Error::new(Code::Shape, message));
    }
    let mut lengths = Vec::new();
    for length in list {
        match usize::try_from(length).ok().filter(|length| *length <= most) {
            Some(length) => lengths.push(length),
            None => {
                let message = format!("expected {of} lengths from 0 to {most}, given {length}");
                return Err(Error::new(Code::Argument, message));
            }
        }
    }
    Ok(lengths)
}
