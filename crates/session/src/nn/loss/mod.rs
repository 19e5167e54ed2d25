//! Losses: the application of a loss to its inputs.

mod classes;
mod elements;
pub(crate) mod formula;
mod sequences;
pub(crate) mod table;
mod terms;
mod vectors;

use stepwell_optim::{Code, Error, Number, OptionValue, Result, Shared, defaults, joined, parse};

use crate::engine::Engine;
use crate::engine::operations::{Loss, Reduction};
use crate::nn::context::check_device;
use crate::nn::kind_names::{LOSS_NAMES, kind_of};
use crate::nn::loss::formula::Formula;
use crate::nn::loss::table::{IGNORE_INDEX, LOSSES, LossKind};
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// A loss with its options.
#[derive(Clone)]
pub(crate) struct LossFunction {
    kind: &'static LossKind,
    row: Shared<[OptionValue]>,
    formula: Formula,
    reduction: Reduction,
}

impl LossFunction {
    pub(crate) fn new(name: &str, named: &[(String, OptionValue)]) -> Result<Self> {
        let Some(kind) = LOSSES.iter().find(|kind| kind.name == kind_of(LOSS_NAMES, name)) else {
            let known: Vec<_> = LOSSES.iter().map(|kind| kind.name).collect();
            let message = format_args!("unknown loss `{name}`, expected one of {}", joined(&known, ", "));
            return Err(Error::new(Code::UnknownName, message));
        };
        let row = parse(kind.name, kind.options, &defaults(kind.options), &[], named)?;
        let (formula, reduction) = (kind.make)(&row)?;
        Ok(Self { kind, row: row.into(), formula, reduction })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.kind.name
    }

    /// The options by name, without the ones that are `null`.
    pub(crate) fn options(&self) -> Vec<(&'static str, OptionValue)> {
        let named = self.kind.options.iter().map(|spec| spec.name).zip(self.row.iter().cloned());
        named.filter(|(_, value)| *value != OptionValue::Null).collect()
    }

    /// How many tensors it takes.
    pub(crate) fn inputs(&self) -> std::ops::RangeInclusive<usize> {
        self.kind.inputs()
    }

    /// True if it reduces to one number.
    pub(crate) fn is_scalar(&self) -> bool {
        self.reduction != Reduction::None
    }

    /// True if targets can be classes `[n, *]` for inputs `[n, classes, *]`.
    pub(crate) fn takes_classes(&self) -> bool {
        self.ignored().is_some()
    }

    /// True if targets are `long`, or can be.
    pub(crate) fn takes_long(&self) -> bool {
        self.takes_classes() || matches!(self.formula, Formula::MultiLabel | Formula::MultiMargin { .. })
    }

    /// The class whose targets are ignored; `None` if targets cannot be classes.
    pub(crate) fn ignored(&self) -> Option<i64> {
        if let Formula::Classes(class) = &self.formula { Some(class.ignore) } else { None }
    }

    /// True if it is a mean, and not a sum.
    pub(crate) fn is_mean(&self) -> bool {
        self.reduction == Reduction::Mean
    }

    /// The weight of a batch in the mean over several batches: the divisor of its mean, or 1 if it is not a mean.
    pub(crate) fn weight(&self, divisor: f64) -> f64 {
        if self.is_mean() { divisor } else { 1.0 }
    }

    /// The divisor of the mean of a batch with these classes.
    pub(crate) fn divisor_of(&self, classes: &[i64]) -> f64 {
        if let Formula::Classes(class) = &self.formula { class.divisor(classes) } else { classes.len() as f64 }
    }

    /// The dtype of a target of this shape: `long` for classes, else the dtype of the input. `position` counts from 1, the
    /// tensor after the input.
    pub(crate) fn target_dtype<E: Engine>(
        &self,
        engine: &E,
        input: &E::Tensor,
        position: usize,
        target_shape: &[usize],
    ) -> Result<Dtype> {
        let (shape, dtype) = (engine.shape(input)?, engine.dtype(input)?);
        if !dtype.is_floating() {
            let given = dtype.name();
            return Err(Error::new(Code::Dtype, format_args!("expected input of floating point, given {given}")));
        }
        match &self.formula {
            Formula::Classes(_) if shape.len() < 2 => {
                Err(Error::new(Code::Shape, format_args!("expected input of shape [n, classes, *], given {shape:?}")))
            }
            Formula::Classes(_) if *target_shape == classes_of(&shape) => Ok(Dtype::Long),
            Formula::MultiLabel | Formula::MultiMargin { .. } if position == 1 => Ok(Dtype::Long),
            Formula::Ctc { .. } => Ok(Dtype::Long),
            _ => Ok(dtype),
        }
    }

    /// The loss of an input and a target: see [`LossFunction::apply_all`].
    pub(crate) fn apply<E: Engine>(
        &self,
        engine: &E,
        input: &E::Tensor,
        target: &E::Tensor,
    ) -> Result<(E::Tensor, f64)> {
        self.apply_all(engine, &[input.clone(), target.clone()])
    }

    /// The loss, and the divisor of its mean. The mean of no losses is 0, with gradients of 0; in PyTorch it is NaN.
    ///
    /// # Errors
    /// [`Code::Shape`], [`Code::Dtype`] and [`Code::Device`] for tensors that do not fit together, [`Code::Argument`] for
    /// classes out of range.
    pub(crate) fn apply_all<E: Engine>(&self, engine: &E, tensors: &[E::Tensor]) -> Result<(E::Tensor, f64)> {
        let [input, targets @ ..] = tensors else {
            return Err(Error::new(Code::Internal, "a loss without an input"));
        };
        let device = engine.device(input)?;
        for (position, target) in (1..).zip(targets) {
            let expected = self.target_dtype(engine, input, position, &engine.shape(target)?)?;
            let found = engine.dtype(target)?;
            if position == 1 {
                self.check_shape(engine, input, target)?;
            }
            if found != expected {
                let message = format_args!("expected target of dtype {}, given {}", expected.name(), found.name());
                return Err(Error::new(Code::Dtype, message));
            }
            check_device(engine, "a target", target, device)?;
        }
        let counted = match &self.formula {
            Formula::Classes(class) if engine.dtype(&targets[0])? == Dtype::Long => {
                let Data::Long(given) = engine.data(&targets[0])? else {
                    return Err(Error::new(Code::Internal, "classes of another dtype than long"));
                };
                check_classes(&given, engine.shape(input)?[1], class.ignore)?;
                given.iter().filter(|given| **given != class.ignore).count()
            }
            Formula::Classes(class) if class.ignore != IGNORE_INDEX => {
                let ignore = class.ignore;
                let message = format_args!("ignore is a class, {ignore}, and the target has probabilities");
                return Err(Error::new(Code::Argument, message));
            }
            Formula::Classes(_) => classes_of(&engine.shape(input)?).iter().product(),
            _ => engine.shape(input)?.iter().product(),
        };
        self.formula.apply(engine, tensors, self.reduction, counted as f64).map_err(|error| {
            // The engine has read all numbers, and does not say which is wrong.
            let wrong =
                if let Formula::Engine(Loss::Bce) = self.formula { improbable(engine, &tensors[..2]) } else { None };
            match wrong {
                Some(wrong) => error.followed_by(&format!(", given {}", Number(wrong))),
                None => error,
            }
        })
    }

    /// Fails unless input and target fit together. Losses of several tensors check them where they are computed.
    fn check_shape<E: Engine>(&self, engine: &E, input: &E::Tensor, target: &E::Tensor) -> Result<()> {
        let (shape, given) = (engine.shape(input)?, engine.shape(target)?);
        let expected = match &self.formula {
            Formula::Classes(class) if class.logits && given == shape => return Ok(()),
            Formula::Classes(_) => classes_of(&shape),
            Formula::MultiLabel | Formula::MultiMargin { .. } if shape.is_empty() || shape.len() > 2 => {
                let message = format_args!("expected input of shape [n, classes] or [classes], given {shape:?}");
                return Err(Error::new(Code::Shape, message));
            }
            Formula::MultiMargin { .. } => shape[..shape.len() - 1].to_vec(),
            Formula::Cosine { .. } | Formula::Margin { .. } | Formula::Triplet { .. } | Formula::Ctc { .. } => {
                return Ok(());
            }
            _ => shape,
        };
        if given == expected {
            return Ok(());
        }
        Err(Error::new(Code::Shape, format_args!("expected target of shape {expected:?}, given {given:?}")))
    }
}

/// The first number that is not a probability.
fn improbable<E: Engine>(engine: &E, tensors: &[E::Tensor]) -> Option<f64> {
    for tensor in tensors {
        let Ok(Data::Double(numbers)) = engine.data(tensor).and_then(|data| data.cast(Dtype::Double)) else { continue };
        if let Some(wrong) = numbers.into_iter().find(|number| !(0.0..=1.0).contains(number)) {
            return Some(wrong);
        }
    }
    None
}

/// The shape of classes for logits `[n, classes, *]`.
fn classes_of(shape: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, size)| *size).collect()
}

/// Fails for a class out of range, which would make a CUDA device unusable.
fn check_classes(given: &[i64], classes: usize, ignored: i64) -> Result<()> {
    match given.iter().find(|class| **class != ignored && !(0..classes as i64).contains(*class)) {
        None => Ok(()),
        Some(class) => {
            let last = classes as i64 - 1;
            let message = format_args!("expected classes from 0 to {last}, or {ignored} to be ignored, given {class}");
            Err(Error::new(Code::Argument, message))
        }
    }
}
