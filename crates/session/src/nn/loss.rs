//! The table of losses, and the application of a loss to input and target.

use stepwell_optim::{
    Code, Error, Limit::*, OptionSet, OptionSpec, OptionType, OptionValue, Result, defaults, options, parse,
};

use crate::engine::Engine;
use crate::engine::operations::{Loss, Reduction};
use crate::nn::context::check_device;
use crate::nn::kind_names::{LOSS_NAMES, kind_of};
use crate::values::data::Data;
use crate::values::dtype::Dtype;

impl OptionType for Reduction {
    const KIND: stepwell_optim::OptionKind = stepwell_optim::OptionKind::Word(&["none", "mean", "sum"]);
    fn from_value(value: &OptionValue) -> Option<Self> {
        match value {
            OptionValue::Word(word) if word == "none" => Some(Reduction::None),
            OptionValue::Word(word) if word == "mean" => Some(Reduction::Mean),
            OptionValue::Word(word) if word == "sum" => Some(Reduction::Sum),
            _ => None,
        }
    }
    fn into_value(self) -> OptionValue {
        OptionValue::Word(match self {
            Reduction::None => "none".into(),
            Reduction::Mean => "mean".into(),
            Reduction::Sum => "sum".into(),
        })
    }
}

options! {
    /// Options of most losses.
    pub(crate) struct LossOptions {
        /// How the losses of the elements become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

options! {
    /// Options of the losses of classes.
    pub(crate) struct ClassOptions {
        /// A class that the loss and its mean ignore. It need not exist.
        ignore: i64 = IGNORE_INDEX, alias "ignore_index";
        /// How the losses of the elements become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

/// The class that the loss ignores by default, as PyTorch's `ignore_index`.
const IGNORE_INDEX: i64 = -100;

options! {
    /// Options of the smooth L1 loss.
    pub(crate) struct SmoothL1Options {
        /// The difference at which the quadratic part ends.
        beta: f64 = 1.0, limit Above(0.0);
        /// How the losses of the elements become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

/// A row of the table of losses.
pub(crate) struct LossKind {
    pub(crate) name: &'static str,
    pub(crate) options: &'static [OptionSpec],
    make: fn(&[OptionValue]) -> Result<(Loss, Reduction)>,
}

/// A row for a loss without options of its own.
macro_rules! plain {
    ($name:literal, $loss:expr) => {
        LossKind {
            name: $name,
            options: LossOptions::SPECS,
            make: |row| LossOptions::from_values(row).map(|options| ($loss, options.reduce)),
        }
    };
}

/// A row for a loss of classes.
macro_rules! classes {
    ($name:literal, $loss:ident) => {
        LossKind {
            name: $name,
            options: ClassOptions::SPECS,
            make: |row| {
                let ClassOptions { ignore, reduce } = ClassOptions::from_values(row)?;
                Ok((Loss::$loss { ignore }, reduce))
            },
        }
    };
}

pub(crate) const LOSSES: &[LossKind] = &[
    classes!("ce", CrossEntropy),
    classes!("nll", Nll),
    plain!("mse", Loss::Mse),
    plain!("l1", Loss::L1),
    LossKind {
        name: "smoothl1",
        options: SmoothL1Options::SPECS,
        make: |row| {
            let SmoothL1Options { beta, reduce } = SmoothL1Options::from_values(row)?;
            Ok((Loss::SmoothL1 { beta }, reduce))
        },
    },
    plain!("bce", Loss::Bce),
    plain!("bcewithlogits", Loss::BceWithLogits),
];

/// A loss with its options.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LossFunction {
    name: &'static str,
    loss: Loss,
    reduction: Reduction,
}

impl LossFunction {
    pub(crate) fn new(name: &str, named: &[(String, OptionValue)]) -> Result<Self> {
        let Some(kind) = LOSSES.iter().find(|kind| kind.name == kind_of(LOSS_NAMES, name)) else {
            let known: Vec<_> = LOSSES.iter().map(|kind| kind.name).collect();
            let message = format!("unknown loss `{name}`, expected one of {}", known.join(", "));
            return Err(Error::new(Code::UnknownName, message));
        };
        let (loss, reduction) = (kind.make)(&parse(kind.name, kind.options, &defaults(kind.options), &[], named)?)?;
        Ok(Self { name: kind.name, loss, reduction })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The options by name.
    pub(crate) fn options(&self) -> Vec<(&'static str, OptionValue)> {
        let mut options = vec![("reduce", self.reduction.into_value())];
        match self.loss {
            Loss::CrossEntropy { ignore } | Loss::Nll { ignore } => {
                options.push(("ignore", OptionValue::Integer(ignore)))
            }
            Loss::SmoothL1 { beta } => options.push(("beta", OptionValue::Float(beta))),
            _ => {}
        }
        options
    }

    /// True if it reduces to one number.
    pub(crate) fn is_scalar(&self) -> bool {
        self.reduction != Reduction::None
    }

    /// True if targets can be classes.
    pub(crate) fn takes_classes(&self) -> bool {
        self.ignored().is_some()
    }

    /// The class whose targets are ignored; `None` if targets cannot be classes.
    pub(crate) fn ignored(&self) -> Option<i64> {
        match self.loss {
            Loss::CrossEntropy { ignore } | Loss::Nll { ignore } => Some(ignore),
            _ => None,
        }
    }

    /// True if it is a mean, and not a sum.
    pub(crate) fn is_mean(&self) -> bool {
        self.reduction == Reduction::Mean
    }

    /// The weight of a batch in the mean over several batches: its number of averaged elements if the reduction is a mean,
    /// otherwise 1.
    pub(crate) fn weight(&self, counted: usize) -> f64 {
        if self.is_mean() { counted as f64 } else { 1.0 }
    }

    /// The dtype of a target of this shape: `long` for classes, else the dtype of the input.
    pub(crate) fn target_dtype<E: Engine>(
        &self,
        engine: &E,
        input: &E::Tensor,
        target_shape: &[usize],
    ) -> Result<Dtype> {
        let (shape, dtype) = (engine.shape(input)?, engine.dtype(input)?);
        if !dtype.is_floating() {
            return Err(Error::new(Code::Dtype, "expected input of floating point, given long"));
        }
        if !self.takes_classes() {
            return Ok(dtype);
        }
        if shape.len() < 2 {
            return Err(Error::new(Code::Shape, format!("expected input of shape [n, classes, *], given {shape:?}")));
        }
        Ok(if *target_shape == classes_of(&shape) { Dtype::Long } else { dtype })
    }

    /// The loss, and the number of losses that are averaged. The mean of no losses is 0, with gradients of 0; in
    /// PyTorch it is NaN.
    pub(crate) fn apply<E: Engine>(
        &self,
        engine: &E,
        input: &E::Tensor,
        target: &E::Tensor,
    ) -> Result<(E::Tensor, usize)> {
        let (shape, given_shape) = (engine.shape(input)?, engine.shape(target)?);
        let expected_dtype = self.target_dtype(engine, input, &given_shape)?;
        let expected_shape = if self.takes_classes() { classes_of(&shape) } else { shape.clone() };
        let as_probabilities = matches!(self.loss, Loss::CrossEntropy { .. }) && given_shape == shape;
        if given_shape != expected_shape && !as_probabilities {
            let message = format!("expected target of shape {expected_shape:?}, given {given_shape:?}");
            return Err(Error::new(Code::Shape, message));
        }
        let found = engine.dtype(target)?;
        if found != expected_dtype {
            let message = format!("expected target of dtype {}, given {}", expected_dtype.name(), found.name());
            return Err(Error::new(Code::Dtype, message));
        }
        check_device(engine, "a target", target, engine.device(input)?)?;
        let counted = match self.ignored() {
            Some(ignored) if found == Dtype::Long => count_classes(engine, target, shape[1], ignored)?,
            Some(ignored) if ignored != IGNORE_INDEX => {
                let message = format!("ignore is a class, {ignored}, and the target has probabilities");
                return Err(Error::new(Code::Argument, message));
            }
            _ => expected_shape.iter().product(),
        };
        let reduction = match self.reduction {
            Reduction::Mean if counted == 0 => Reduction::Sum,
            other => other,
        };
        Ok((engine.loss(self.loss, input, target, reduction)?, counted))
    }
}

/// The shape of classes for logits `[n, classes, *]`.
fn classes_of(shape: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, size)| *size).collect()
}

/// The number of classes that count. A class out of range is an error; on a CUDA device it would make the device
/// unusable.
fn count_classes<E: Engine>(engine: &E, target: &E::Tensor, classes: usize, ignored: i64) -> Result<usize> {
    let Data::Long(given) = engine.data(target)? else {
        return Err(Error::new(Code::Internal, "classes of another dtype than long"));
    };
    let mut counted = 0;
    for class in given.into_iter().filter(|class| *class != ignored) {
        if !(0..classes as i64).contains(&class) {
            let last = classes as i64 - 1;
            let message = format!("expected classes from 0 to {last}, or {ignored} to be ignored, given {class}");
            return Err(Error::new(Code::Argument, message));
        }
        counted += 1;
    }
    Ok(counted)
}
