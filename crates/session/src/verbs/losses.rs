//! Losses: `loss(input, target, options)` gives a tensor. The target is a handle or plain numbers.

use stepwell_optim::{Code, Error, Limit::*, OptionSet, OptionType, Result, Value, defaults, options, parse};

use crate::arguments::{Arguments, named_options};
use crate::handle::Kind;
use crate::session::{Object, Session};
use crate::verbs::tensors::tensor_or_numbers;
use crate::{Data, Dtype, Dynamic, Engine, Loss, Reduction};

impl OptionType for Reduction {
    const KIND: stepwell_optim::Kind = stepwell_optim::Kind::Word(&["none", "mean", "sum"]);
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Word(word) if word == "none" => Some(Reduction::None),
            Value::Word(word) if word == "mean" => Some(Reduction::Mean),
            Value::Word(word) if word == "sum" => Some(Reduction::Sum),
            _ => None,
        }
    }
    fn into_value(self) -> Value {
        Value::Word(match self {
            Reduction::None => "none".into(),
            Reduction::Mean => "mean".into(),
            Reduction::Sum => "sum".into(),
        })
    }
}

options! {
    /// Options of most losses.
    struct LossOptions {
        /// What becomes of the losses of the elements.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

options! {
    /// Options of the smooth L1 loss.
    struct SmoothL1Options {
        /// Where the quadratic part ends.
        beta: f64 = 1.0, limit Above(0.0);
        /// What becomes of the losses of the elements.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

/// `ce(input, target)`: cross entropy of logits `[n, c, *]` with classes `[n, *]` or probabilities `[n, c, *]`.
pub(crate) fn ce<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Dynamic> {
    plain(session, arguments, "ce", Loss::CrossEntropy)
}

/// `nll(input, target)`: negative log-likelihood of log-probabilities `[n, c, *]` with classes `[n, *]`.
pub(crate) fn nll<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Dynamic> {
    plain(session, arguments, "nll", Loss::Nll)
}

/// `mse(input, target)`: squared error.
pub(crate) fn mse<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Dynamic> {
    plain(session, arguments, "mse", Loss::Mse)
}

/// `l1(input, target)`: absolute error.
pub(crate) fn l1<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Dynamic> {
    plain(session, arguments, "l1", Loss::L1)
}

/// `smoothl1(input, target)`: squared error below `beta`, absolute error above.
pub(crate) fn smoothl1<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Dynamic> {
    let (input, target) = (arguments.next(), arguments.next());
    let SmoothL1Options { beta, reduce } = loss_options(arguments, "smoothl1")?;
    apply(session, &input, &target, Loss::SmoothL1 { beta }, reduce)
}

/// `bce(input, target)`: binary cross entropy of probabilities.
pub(crate) fn bce<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Dynamic> {
    plain(session, arguments, "bce", Loss::Bce)
}

/// `bcewithlogits(input, target)`: binary cross entropy of logits.
pub(crate) fn bcewithlogits<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Dynamic> {
    plain(session, arguments, "bcewithlogits", Loss::BceWithLogits)
}

fn plain<E: Engine>(session: &mut Session<E>, mut arguments: Arguments, name: &str, loss: Loss) -> Result<Dynamic> {
    let (input, target) = (arguments.next(), arguments.next());
    let LossOptions { reduce } = loss_options(arguments, name)?;
    apply(session, &input, &target, loss, reduce)
}

fn loss_options<O: OptionSet>(mut arguments: Arguments, name: &str) -> Result<O> {
    let named = named_options(arguments.options()?)?;
    arguments.finish()?;
    O::from_row(&parse(name, O::SPECS, &defaults(O::SPECS), &[], &named)?)
}

fn apply<E: Engine>(
    session: &mut Session<E>,
    input: &Dynamic,
    target: &Dynamic,
    loss: Loss,
    reduction: Reduction,
) -> Result<Dynamic> {
    let Dynamic::Handle(handle) = input else {
        return Err(Error::new(Code::Argument, format!("expected a {} handle as input, given {input}", Kind::Tensor)));
    };
    let engine = &session.engine;
    let input = session.tensor(*handle)?;
    let (shape, dtype, device) = (engine.shape(input)?, engine.dtype(input)?, engine.device(input)?);
    if !dtype.is_floating() {
        return Err(Error::new(Code::Dtype, "expected input of floating point, given long"));
    }
    let is_class_loss = matches!(loss, Loss::CrossEntropy | Loss::Nll);
    let classes: Vec<usize> = shape.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, size)| *size).collect();
    if is_class_loss && shape.len() < 2 {
        return Err(Error::new(Code::Shape, format!("expected input of shape [n, classes, *], given {shape:?}")));
    }
    // Plain numbers become what the loss needs: classes by their shape, else numbers like the input.
    let given_shape = match target {
        Dynamic::Handle(handle) => engine.shape(session.tensor(*handle)?)?,
        numbers => crate::arguments::array(numbers).map(|array| array.shape).unwrap_or_default(),
    };
    let as_classes = is_class_loss && given_shape == classes;
    let target = tensor_or_numbers(session, target, if as_classes { Dtype::Long } else { dtype }, device)?;
    let found = engine.dtype(&target)?;
    let expected_shape = if is_class_loss { &classes } else { &shape };
    let as_probabilities = loss == Loss::CrossEntropy && given_shape == shape;
    if given_shape != *expected_shape && !as_probabilities {
        let message = format!("expected target of shape {expected_shape:?}, given {given_shape:?}");
        return Err(Error::new(Code::Shape, message));
    }
    let expected_dtype = if as_classes { Dtype::Long } else { dtype };
    if found != expected_dtype {
        let message = format!("expected target of dtype {}, given {}", expected_dtype.name(), found.name());
        return Err(Error::new(Code::Dtype, message));
    }
    if as_classes {
        check_classes(engine, &target, shape[1])?;
    }
    let result = engine.loss(loss, input, &target, reduction)?;
    session.insert(Object::Tensor(result))
}

/// Refuses a class that does not exist, which on a CUDA device would make the device unusable. PyTorch's -100 is none,
/// and counts for nothing.
fn check_classes<E: Engine>(engine: &E, target: &E::Tensor, classes: usize) -> Result<()> {
    if let Data::Long(given) = engine.data(target)?
        && let Some(class) = given.iter().find(|class| **class != -100 && !(0..classes as i64).contains(class))
    {
        let message = format!("expected classes from 0 to {}, given {class}", classes as i64 - 1);
        return Err(Error::new(Code::Argument, message));
    }
    Ok(())
}
