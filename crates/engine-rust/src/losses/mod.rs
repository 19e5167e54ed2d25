//! The losses. Those that compare element by element are a file of a few lines each.

mod bce;
mod bce_with_logits;
mod cross_entropy;
mod elementwise;
mod l1;
mod mse;
mod nll;
mod reduce;
mod smooth_l1;

use stepwell_optim::Result;
use stepwell_session::{Loss, Reduction};

use crate::tape::Tape;
use crate::tensor::Tensor;

pub(crate) fn loss(tape: &Tape, loss: Loss, input: &Tensor, target: &Tensor, by: Reduction) -> Result<Tensor> {
    match loss {
        Loss::CrossEntropy => cross_entropy::cross_entropy(tape, input, target, by),
        Loss::Nll => nll::nll(tape, input, target, by),
        Loss::Mse => elementwise::loss(tape, mse::Mse, input, target, by),
        Loss::L1 => elementwise::loss(tape, l1::L1, input, target, by),
        Loss::SmoothL1 { beta } => elementwise::loss(tape, smooth_l1::SmoothL1 { beta }, input, target, by),
        Loss::Bce => elementwise::loss(tape, bce::Bce, input, target, by),
        Loss::BceWithLogits => elementwise::loss(tape, bce_with_logits::BceWithLogits, input, target, by),
    }
}
