//! Negative log likelihood: log-probabilities `[n, c, *]`, target classes `[n, *]`.

use stepwell_optim::Result;
use stepwell_session::{Dtype, Reduction};

use crate::autograd::backward::{Backward, BackwardContext, InputGradients};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::{dtype_error, engine_error};
use crate::losses::reduction::{LossGradients, reduce};
use crate::memory::{CountedVec, element_count};

/// The sizes of logits or log-probabilities `[n, c, *]`, and of target classes `[n, *]`.
#[derive(Clone)]
pub(crate) struct ClassLayout {
    pub(crate) samples: usize,
    pub(crate) classes: usize,
    /// The product of the sizes after `c`: positions of a sample, each with one class.
    pub(crate) positions: usize,
    /// The shape of the target: `[n, *]`.
    pub(crate) shape: Vec<usize>,
    /// Positions with this class contribute neither to the loss nor to the gradient.
    ignore: i64,
}

impl ClassLayout {
    pub(crate) fn new(shape: &[usize], ignore: i64) -> Result<Self> {
        match shape {
            [samples, classes, rest @ ..] => Ok(Self {
                samples: *samples,
                classes: *classes,
                positions: element_count(rest)?,
                shape: [&[*samples], rest].concat(),
                ignore,
            }),
            _ => Err(engine_error(format!("expected input of shape [n, classes, *], given {shape:?}"))),
        }
    }

    /// Fails unless the target is a long tensor with one class for each position.
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

    /// For each position that is not ignored: its index, and the index of the logit of its class.
    pub(crate) fn positions<'a>(&self, targets: &'a [i64]) -> impl Iterator<Item = Result<(usize, usize)>> + use<'a> {
        let (classes, positions, ignore) = (self.classes, self.positions, self.ignore);
        targets.iter().enumerate().filter(move |(_, class)| **class != ignore).map(move |(position, class)| {
            let class = usize::try_from(*class)
                .ok()
                .filter(|class| *class < classes)
                .ok_or_else(|| engine_error(format!("target {class} is out of bounds for {classes} classes")))?;
            Ok((position, (position / positions * classes + class) * positions + position % positions))
        })
    }

    /// The number of positions that are not ignored.
    pub(crate) fn count_included(&self, targets: &[i64]) -> f64 {
        targets.iter().filter(|class| **class != self.ignore).count() as f64
    }
}

struct Nll {
    classes: ClassLayout,
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
    let operation = Nll { classes: ClassLayout::new(&input.shape(), ignore)?, reduction };
    operation.classes.check(target)?;
    let (buffer, shape) = with_real!(input.dtype(), T => {
        operation.forward::<T>(autograd, input, target).map(|(out, shape)| (T::into_buffer(out), shape))
    })?;
    // Not read. PyTorch saves the input for its shape, so a graph whose input was changed is outdated there too.
    let saved = vec![Some(target.saved()), Some(input.saved())];
    autograd.record_output(&shape, Storage::new(buffer), &[Some(input)], operation, saved)
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
        for position in self.classes.positions(targets) {
            let (position, at) = position?;
            losses[position] = -input[at];
        }
        reduce(&autograd.budget, losses, &self.classes.shape, self.classes.count_included(targets), self.reduction)
    }
}

impl Backward for Nll {
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>> {
        let targets: &[i64] = context.saved(TARGET)?;
        let ClassLayout { samples, classes, positions, .. } = self.classes;
        let mut out = context.budget.zeros::<T>(samples * classes * positions)?;
        let loss_gradients = LossGradients::new(&gradient, self.classes.count_included(targets), self.reduction);
        for position in self.classes.positions(targets) {
            let (position, at) = position?;
            out[at] = -loss_gradients.of(position);
        }
        Ok(vec![Some(out)])
    }
}
