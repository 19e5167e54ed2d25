//! Cross entropy of the softmax of logits `[n, c, *]` and target classes `[n, *]` or probabilities `[n, c, *]`.
//!
//! Softmax and loss are one operation, which saves the softmax: the gradient is softmax minus target.

use stepwell_optim::Result;
use stepwell_session::{Dtype, Reduction};

use crate::autograd::backward::{Backward, BackwardContext, InputGradients, SavedTensor};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::{dtype_error, engine_error};
use crate::losses::nll::ClassLayout;
use crate::losses::reduction::{LossGradients, reduce};
use crate::memory::CountedVec;

struct CrossEntropy {
    classes: ClassLayout,
    reduction: Reduction,
    /// Targets are probabilities.
    probabilities: bool,
}

const INPUT: usize = 0;
const TARGET: usize = 1;
/// The index of the saved log-softmax, for the gradient of the target.
const LOGARITHMS: usize = 2;

/// The softmax, its logarithms if the target needs a gradient, and the loss.
struct Results<T: 'static> {
    softmax: CountedVec<T>,
    logarithms: Option<CountedVec<T>>,
    loss: CountedVec<T>,
    shape: Vec<usize>,
}

pub(crate) fn cross_entropy(
    autograd: &Autograd,
    input: &Tensor,
    target: &Tensor,
    ignore: i64,
    reduction: Reduction,
) -> Result<Tensor> {
    let classes = ClassLayout::new(&input.shape(), ignore)?;
    let probabilities = target.dtype() != Dtype::Long;
    if !probabilities {
        classes.check(target)?;
    } else if target.shape() != input.shape() {
        let (expected, given) = (input.shape(), target.shape());
        return Err(engine_error(format!("expected target of shape {expected:?}, given {given:?}")));
    } else if target.dtype() != input.dtype() {
        return Err(dtype_error(input.dtype().name(), target.dtype()));
    }
    let operation = CrossEntropy { classes, reduction, probabilities };
    let operands = [Some(input), probabilities.then_some(target)];
    let keep_logarithms = autograd.needs_grad(operands)[TARGET];
    let (loss, shape, softmax, logarithms) = with_real!(input.dtype(), T => {
        let results = operation.forward::<T>(autograd, input, target, keep_logarithms);
        results.map(|r| (T::into_buffer(r.loss), r.shape, T::into_buffer(r.softmax), r.logarithms.map(T::into_buffer)))
    })?;
    let saved = vec![
        Some(SavedTensor::new(&Storage::new(softmax))),
        Some(target.saved()),
        logarithms.map(|logarithms| SavedTensor::new(&Storage::new(logarithms))),
    ];
    autograd.record_output(&shape, Storage::new(loss), &operands, operation, saved)
}

impl CrossEntropy {
    fn forward<T: Real>(&self, autograd: &Autograd, input: &Tensor, target: &Tensor, keep: bool) -> Result<Results<T>> {
        let (input, target) = (input.storage(), target.storage());
        let (input, target) = (input.read()?, target.read()?);
        let ClassLayout { samples, classes, positions, .. } = self.classes;
        // Holds the log-softmax first, and the softmax after `exp` below.
        let mut softmax = autograd.budget.copy(T::slice(&input)?)?;
        for sample in softmax.chunks_exact_mut((classes * positions).max(1)) {
            for position in 0..positions {
                log_softmax(sample, position, positions);
            }
        }
        let mut losses = autograd.budget.zeros::<T>(samples.saturating_mul(positions))?;
        let mut count = losses.len() as f64;
        if self.probabilities {
            for (i, (x, y)) in softmax.iter().zip(T::slice(&target)?).enumerate() {
                let position = i / (classes * positions) * positions + i % positions;
                losses[position] = losses[position] - *x * *y;
            }
        } else {
            let targets = i64::slice(&target)?;
            for position in self.classes.positions(targets) {
                let (position, at) = position?;
                losses[position] = -softmax[at];
            }
            count = self.classes.count_included(targets);
        }
        let logarithms = if keep { Some(autograd.budget.copy(&softmax)?) } else { None };
        softmax.iter_mut().for_each(|x| *x = x.exp());
        let (loss, shape) = reduce(&autograd.budget, losses, &self.classes.shape, count, self.reduction)?;
        Ok(Results { softmax, logarithms, loss, shape })
    }
}

/// Replaces the logits at `start`, `start + step` and so on by their log-softmax.
fn log_softmax<T: Real>(logits: &mut [T], start: usize, step: usize) {
    let indices = || (start..logits.len()).step_by(step);
    let largest = indices().map(|i| logits[i]).fold(T::NEG_INFINITY, |a, b| if b > a || b.is_nan() { b } else { a });
    let sum = indices().map(|i| (logits[i] - largest).exp()).fold(T::ZERO, |a, b| a + b);
    let shift = sum.ln();
    for i in (start..logits.len()).step_by(step) {
        logits[i] = logits[i] - largest - shift;
    }
}

impl Backward for CrossEntropy {
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>> {
        let softmax: &[T] = context.saved(INPUT)?;
        let ClassLayout { samples, classes, positions, .. } = self.classes;
        let position_of = |i: usize| i / (classes * positions) * positions + i % positions;
        if !self.probabilities {
            let targets: &[i64] = context.saved(TARGET)?;
            let loss_gradients = LossGradients::new(&gradient, self.classes.count_included(targets), self.reduction);
            // 0 for ignored positions.
            let mut scales = context.budget.zeros::<T>(samples * positions)?;
            for position in self.classes.positions(targets) {
                let (position, _) = position?;
                scales[position] = loss_gradients.of(position);
            }
            let mut out = context.budget.collect((0..softmax.len()).map(|i| softmax[i] * scales[position_of(i)]))?;
            for position in self.classes.positions(targets) {
                let (position, at) = position?;
                out[at] = out[at] - scales[position];
            }
            return Ok(vec![Some(out)]);
        }
        let targets: &[T] = context.saved(TARGET)?;
        let loss_gradients = LossGradients::new(&gradient, (samples * positions) as f64, self.reduction);
        let mut gradients = vec![None, None];
        if context.needs_input_grad(INPUT) {
            let mut sums = context.budget.zeros::<T>(samples * positions)?;
            for (i, y) in targets.iter().enumerate() {
                sums[position_of(i)] = sums[position_of(i)] + *y;
            }
            let derivatives = (0..softmax.len()).map(|i| {
                let position = position_of(i);
                (softmax[i] * sums[position] - targets[i]) * loss_gradients.of(position)
            });
            gradients[INPUT] = Some(context.budget.collect(derivatives)?);
        }
        if context.needs_input_grad(TARGET) {
            let logarithms: &[T] = context.saved(LOGARITHMS)?;
            let derivatives = (0..logarithms.len()).map(|i| -logarithms[i] * loss_gradients.of(position_of(i)));
            gradients[TARGET] = Some(context.budget.collect(derivatives)?);
        }
        Ok(gradients)
    }
}
