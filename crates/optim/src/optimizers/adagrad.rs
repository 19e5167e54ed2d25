//! Adagrad.
//!
//! ```text
//! g = g + decay p
//! sum = sum + g²
//! p = p - lr / (1 + (t - 1) lrdecay) · g / (√sum + eps)
//! ```
//!
//! Duchi et al. 2011, <https://jmlr.org/papers/v12/duchi11a.html>. The sum of a parameter starts at the `init` of its
//! group. PyTorch starts every sum at the value that the optimizer was made with, and ignores the value of the group.

#[cfg(not(target_family = "wasm"))]
use crate::numeric::kernel::MAX_CONSTANTS;
use crate::numeric::kernel::{kernel, sign};
use crate::numeric::scalar::Scalar;
use crate::options::rule_options::rule_options;
use crate::options::table::Limit::*;
#[cfg(not(target_family = "wasm"))]
use crate::rule::RuleKernels;
use crate::rule::{Block, Rule, StepInputs};
use crate::state::param_state::RULE_BUFFERS;

rule_options! {
    /// Options of Adagrad.
    pub(crate) struct AdagradOptions {
        /// Learning rate.
        lr: f64 = 0.01, limit AtLeast(0.0);
        /// Decay of the learning rate with the number of steps.
        lrdecay: f64 = 0.0, limit AtLeast(0.0), alias "lr_decay";
        /// Weight decay, added to the gradient.
        decay: f64 = 0.0, limit AtLeast(0.0), alias "weight_decay";
        /// Initial value of the sum of squared gradients, for each group.
        init: f64 = 0.0, limit AtLeast(0.0), alias "initial_accumulator_value";
        /// Added to the denominator.
        eps: f64 = 1e-10, limit AtLeast(0.0);
        /// Maximize instead of minimize: negate the gradient first.
        maximize: bool = false, extension true;
    }
}

pub(crate) struct Adagrad;

impl Rule for Adagrad {
    type Options = AdagradOptions;
    type Constants<T: Scalar> = adagrad::Constants<T>;
    const NAME: &'static str = "adagrad";
    const PYTORCH: Option<&'static str> = Some("torch.optim.Adagrad");
    const ABOUT: &'static str = "Adaptive gradient descent: a learning rate for each element.";
    const BUFFERS: &'static [&'static str] = &["sum"];
    const GRADIENT_AVERAGES: [bool; RULE_BUFFERS] = [false; RULE_BUFFERS];
    #[cfg(not(target_family = "wasm"))]
    const KERNELS: &'static [RuleKernels] = &[
        RuleKernels { update: adagrad::SOURCE, apply: None, buffers: &[0] },
    ];

    #[cfg(not(target_family = "wasm"))]
    fn kernel_constants<T: Scalar>(constants: &Self::Constants<T>) -> (usize, [f64; MAX_CONSTANTS]) {
        (0, constants.values())
    }

    fn initial_values(o: &AdagradOptions) -> [Option<f64>; RULE_BUFFERS] {
        [Some(o.init), None, None]
    }

    fn constants<T: Scalar>(o: &AdagradOptions, step: &StepInputs) -> Self::Constants<T> {
        adagrad::Constants {
            lr: T::from_f64(o.lr / (1.0 + (step.step_count - 1) as f64 * o.lrdecay)),
            sign: T::from_f64(sign(o.maximize)),
            decay: T::from_f64(o.decay),
            eps: T::from_f64(o.eps),
        }
    }

    #[inline(always)]
    fn update<T: Scalar>(constants: &Self::Constants<T>, block: Block<'_, T>) {
        let Block { parameter, gradient, state: [sum, ..] } = block;
        adagrad::run(parameter, gradient, sum, constants);
    }
}

kernel! {
    adagrad(p, g, [sum], [lr, sign, eps], terms [decay]) {
        let g = with_term(sign * g, decay, p);
        sum = sum + g * g;
        p = p - lr * (g / (sqrt(sum) + eps));
    }
}
