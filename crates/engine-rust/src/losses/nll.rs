//! Minus the log-probability of the right class: log-probabilities `[n, c, *]`, classes `[n, *]`.

use stepwell_optim::Result;
use stepwell_session::{Dtype, Reduction};

use crate::autograd::backward::{Backward, BackwardContext, InputGradients, SavedTensor};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::{dtype_error, engine_error};
use crate::losses::reduction::{LossGradients, reduce};
use crate::memory::{CountedVec, element_count};

/// Logits or log-probabilities `[n, c, *]`.
#[derive(Clone)]
pub(crate) struct Classes {
    pub(crate) samples: usize,
    pub(crate) classes: usize,
    /// Places of a sample, each with a class.
    pub(crate) places: usize,
    /// `[n, *]`.
    pub(crate) shape: Vec<usize>,
    /// A class that counts for nothing.
    ignore: i64,
}

impl Classes {
    pub(crate) fn of(shape: &[usize], ignore: i64) -> Result<Self> {
        match shape {
            [samples, classes, rest @ ..] => Ok(Self {
                samples: *samples,
                classes: *classes,
                places: element_count(rest)?,
                shape: [&[*samples], rest].concat(),
                ignore,
            }),
            _ => Err(engine_error(format!("expected input of shape [n, classes, *], given {shape:?}"))),
        }
    }

    /// Fails unless the target has a class for each place.
    pub(crate) fn check(&self, target: &Tensor) -> Result<()> {
        let shape = target.shape();
        if target.dtype() != Dtype::Long {
            return Err(dtype_error("long", target.dtype()));
        }
        if *shape != self.shape {
            return Err(engine_error(format!("expected target of shape {:?}, given {shape:?}", self.shape)));
        }
        Ok(())
    }

    /// Each place that counts: its number, and where the logit of its class is.
    pub(crate) fn places<'a>(&self, targets: &'a [i64]) -> impl Iterator<Item = Result<(usize, usize)>> + use<'a> {
        let (classes, places, ignore) = (self.classes, self.places, self.ignore);
        targets.iter().enumerate().filter(move |(_, class)| **class != ignore).map(move |(place, class)| {
            let class = usize::try_from(*class)
                .ok()
                .filter(|class| *class < classes)
                .ok_or_else(|| engine_error(format!("target {class} is out of bounds for {classes} classes")))?;
            Ok((place, (place / places * classes + class) * places + place % places))
        })
    }

    /// How many places count.
    pub(crate) fn count(&self, targets: &[i64]) -> f64 {
        targets.iter().filter(|class| **class != self.ignore).count() as f64
    }
}

struct Nll {
    classes: Classes,
    reduction: Reduction,
}

const TARGET: usize = 0;

pub(crate) fn nll(
    autograd: &Autograd,
    input: &Tensor,
    target: &Tensor,
    ignore: i64,
    reduction: Reduction,
) -> Result<Tensor> {
    let operation = Nll { classes: Classes::of(&input.shape(), ignore)?, reduction };
    operation.classes.check(target)?;
    let (buffer, shape) = with_real!(input.dtype(), T => {
        operation.forward::<T>(autograd, input, target).map(|(out, shape)| (T::into_buffer(out), shape))
    })?;
    // PyTorch saves the input too, for its shape.
    let saved = vec![Some(target.saved()), Some(input.saved())];
    autograd.record_output(&shape, Storage::new(buffer), [Some(input), None, None], operation, saved)
}

impl Nll {
    fn forward<T: Real>(
        &self,
        autograd: &Autograd,
        input: &Tensor,
        target: &Tensor,
    ) -> Result<(CountedVec<T>, Vec<usize>)> {
        let (input, target) = (input.storage(), target.storage());
        let (input, target) = (input.read()?, target.read()?);
        let (input, targets) = (T::slice(&input)?, i64::slice(&target)?);
        let mut losses = autograd.budget.zeros::<T>(targets.len())?;
        for place in self.classes.places(targets) {
            let (place, at) = place?;
            losses[place] = -input[at];
        }
        reduce(&autograd.budget, losses, &self.classes.shape, self.classes.count(targets), self.reduction)
    }
}

impl Backward for Nll {
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>> {
        let targets: &[i64] = context.saved(TARGET)?;
        let Classes { samples, classes, places, .. } = self.classes;
        let mut out = context.budget.zeros::<T>(samples * classes * places)?;
        let loss_gradients = LossGradients::new(&gradient, self.classes.count(targets), self.reduction);
        for place in self.classes.places(targets) {
            let (place, at) = place?;
            out[at] = -loss_gradients.of(place);
        }
        Ok([Some(out), None, None])
    }
}
