//! The losses. An elementwise loss is a file with three functions: value and both derivatives.

mod bce;
mod bce_with_logits;
mod cross_entropy;
mod elementwise;
mod l1;
mod mse;
mod nll;
mod pointwise;
mod reduction;
mod smooth_l1;

use stepwell_optim::Result;
use stepwell_session::{Loss, Reduction};

use crate::autograd::graph::Autograd;
use crate::autograd::tensor::Tensor;

pub(crate) fn loss(
    autograd: &Autograd,
    loss: Loss,
    input: &Tensor,
    target: &Tensor,
    reduction: Reduction,
) -> Result<Tensor> {
    match loss {
        Loss::CrossEntropy { ignore } => cross_entropy::cross_entropy(autograd, input, target, ignore, reduction),
        Loss::Nll { ignore } => nll::nll(autograd, input, target, ignore, reduction),
        of_elements => elementwise::loss(autograd, of_elements, input, target, reduction),
    }
}
