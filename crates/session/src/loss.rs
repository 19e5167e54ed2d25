//! Losses: a table of what there is, and how one is applied.

use stepwell_optim::{
    Code, Error, Limit::*, OptionSet, OptionSpec, OptionType, Result, Value, defaults, options, parse,
};

use crate::{Data, Dtype, Engine, Loss, Reduction};

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

/// A row of the table of losses.
struct LossKind {
    name: &'static str,
    options: &'static [OptionSpec],
    make: fn(&[Value]) -> Result<(Loss, Reduction)>,
}

/// A row whose loss has no options of its own.
macro_rules! plain {
    ($name:literal, $loss:expr) => {
        LossKind {
            name: $name,
            options: LossOptions::SPECS,
            make: |row| LossOptions::from_row(row).map(|options| ($loss, options.reduce)),
        }
    };
}

const LOSSES: &[LossKind] = &[
    plain!("ce", Loss::CrossEntropy),
    plain!("nll", Loss::Nll),
    plain!("mse", Loss::Mse),
    plain!("l1", Loss::L1),
    LossKind {
        name: "smoothl1",
        options: SmoothL1Options::SPECS,
        make: |row| {
            let SmoothL1Options { beta, reduce } = SmoothL1Options::from_row(row)?;
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
    pub(crate) fn new(name: &str, named: &[(String, Value)]) -> Result<Self> {
        let Some(kind) = LOSSES.iter().find(|kind| kind.name == name) else {
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

    /// True if it reduces to one number.
    pub(crate) fn is_scalar(&self) -> bool {
        self.reduction != Reduction::None
    }

    /// True if targets can be classes.
    pub(crate) fn takes_classes(&self) -> bool {
        matches!(self.loss, Loss::CrossEntropy | Loss::Nll)
    }

    /// The dtype that a target of this shape is to have: `long` for classes, else that of the input.
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

    /// How far the input is from the target.
    pub(crate) fn apply<E: Engine>(&self, engine: &E, input: &E::Tensor, target: &E::Tensor) -> Result<E::Tensor> {
        let (shape, given_shape) = (engine.shape(input)?, engine.shape(target)?);
        let expected_dtype = self.target_dtype(engine, input, &given_shape)?;
        let expected_shape = if self.takes_classes() { classes_of(&shape) } else { shape.clone() };
        let as_probabilities = self.loss == Loss::CrossEntropy && given_shape == shape;
        if given_shape != expected_shape && !as_probabilities {
            let message = format!("expected target of shape {expected_shape:?}, given {given_shape:?}");
            return Err(Error::new(Code::Shape, message));
        }
        let found = engine.dtype(target)?;
        if found != expected_dtype {
            let message = format!("expected target of dtype {}, given {}", expected_dtype.name(), found.name());
            return Err(Error::new(Code::Dtype, message));
        }
        if self.takes_classes() && found == Dtype::Long {
            check_classes(engine, target, shape[1])?;
        }
        engine.loss(self.loss, input, target, self.reduction)
    }
}

/// The shape of classes for logits `[n, classes, *]`.
fn classes_of(shape: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, size)| *size).collect()
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
