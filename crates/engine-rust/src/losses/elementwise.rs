//! The operation of losses that compare input and target element by element.

use stepwell_optim::Result;
use stepwell_session::{Loss, Reduction};

use crate::autograd::backward::{Backward, BackwardContext, InputGradients, SavedTensor};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::{dtype_error, engine_error, internal_error};
use crate::losses::pointwise::PointwiseLoss;
use crate::losses::reduction::{LossGradients, reduce};
use crate::losses::{bce, bce_with_logits, l1, mse, smooth_l1};
use crate::memory::CountedVec;

/// The functions of a loss, and its constant (beta of the smooth L1 loss, otherwise 0).
fn functions<T: Real>(loss: Loss) -> Result<(PointwiseLoss<T>, T)> {
    Ok(match loss {
        Loss::Mse => (mse::functions(), T::ZERO),
        Loss::L1 => (l1::functions(), T::ZERO),
        Loss::SmoothL1 { beta } => (smooth_l1::functions(), T::from_f64(beta)),
        Loss::Bce => (bce::functions(), T::ZERO),
        Loss::BceWithLogits => (bce_with_logits::functions(), T::ZERO),
        Loss::CrossEntropy { .. } | Loss::Nll { .. } => {
            return Err(internal_error("a loss of classes is not elementwise"));
        }
    })
}

struct ElementwiseLoss {
    loss: Loss,
    reduction: Reduction,
}

const INPUT: usize = 0;
const TARGET: usize = 1;

pub(crate) fn loss(
    autograd: &Autograd,
    loss: Loss,
    input: &Tensor,
    target: &Tensor,
    reduction: Reduction,
) -> Result<Tensor> {
    let (shape, target_shape) = (input.shape(), target.shape());
    if shape != target_shape {
        return Err(engine_error(format!("expected a target of shape {shape:?}, given {target_shape:?}")));
    }
    if target.dtype() != input.dtype() {
        return Err(dtype_error(input.dtype().name(), target.dtype()));
    }
    let operands = [Some(input), Some(target)];
    let needs_input_grad = autograd.needs_grad(operands);
    let operation = ElementwiseLoss { loss, reduction };
    // The derivatives of L1 need the difference only. PyTorch saves that, so its graph stays valid if the input or the target is
    // changed afterwards.
    let keep = loss == Loss::L1 && (needs_input_grad[INPUT] || needs_input_grad[TARGET]);
    let (buffer, out_shape, difference) = with_real!(input.dtype(), T => {
        let results = operation.forward::<T>(autograd, input, target, keep);
        results.map(|(out, shape, difference)| (T::into_buffer(out), shape, difference.map(T::into_buffer)))
    })?;
    let saved = match (loss, difference) {
        (Loss::L1, difference) => vec![difference.map(|difference| SavedTensor::new(&Storage::new(difference)))],
        _ => vec![Some(input.saved()), Some(target.saved())],
    };
    autograd.record_output(&out_shape, Storage::new(buffer), &operands, operation, saved)
}

/// The losses, their shape, and the difference of input and target.
type Results<T> = (CountedVec<T>, Vec<usize>, Option<CountedVec<T>>);

impl ElementwiseLoss {
    fn forward<T: Real>(&self, autograd: &Autograd, input: &Tensor, target: &Tensor, keep: bool) -> Result<Results<T>> {
        let (x, y) = (input.storage(), target.storage());
        let (x, y) = (x.read()?, y.read()?);
        let (x, y) = (T::slice(&x)?, T::slice(&y)?);
        let outside = |x: &T| !(T::ZERO..=T::ONE).contains(x);
        if self.loss == Loss::Bce && (x.iter().any(outside) || y.iter().any(outside)) {
            return Err(engine_error("all elements of input and target should be between 0 and 1"));
        }
        let (PointwiseLoss { value, .. }, constant) = functions::<T>(self.loss)?;
        let losses = autograd.budget.collect(x.iter().zip(y).map(|(x, y)| value(*x, *y, constant)))?;
        let (losses, shape) = reduce(&autograd.budget, losses, &input.shape(), x.len() as f64, self.reduction)?;
        let difference = match keep {
            true => Some(autograd.budget.collect(x.iter().zip(y).map(|(x, y)| *x - *y))?),
            false => None,
        };
        Ok((losses, shape, difference))
    }
}

impl Backward for ElementwiseLoss {
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>> {
        let x: &[T] = context.saved(INPUT)?;
        // If the difference was saved, it takes the place of the input, and the target is 0.
        let y: Option<&[T]> = context.optional_saved(TARGET)?;
        let loss_gradients = LossGradients::new(&gradient, x.len() as f64, self.reduction);
        let (PointwiseLoss { input_derivative, target_derivative, .. }, constant) = functions::<T>(self.loss)?;
        let gradient_of = |input: usize, derivative: fn(T, T, T) -> T| -> Result<Option<CountedVec<T>>> {
            if !context.needs_input_grad(input) {
                return Ok(None);
            }
            let each = x.iter().enumerate();
            let derivatives =
                each.map(|(i, x)| loss_gradients.of(i) * derivative(*x, y.map_or(T::ZERO, |y| y[i]), constant));
            context.budget.collect(derivatives).map(Some)
        };
        Ok(vec![gradient_of(INPUT, input_derivative)?, gradient_of(TARGET, target_derivative)?])
    }
}
