//! AdamW: Adam with decoupled weight decay.
//!
//! ```text
//! p = p - lr decay p
//! m = beta1 m + (1 - beta1) g
//! v = beta2 v + (1 - beta2) g²
//! p = p - lr / (1 - beta1ᵗ) · m / (√v / √(1 - beta2ᵗ) + eps)       (amsgrad: the largest v so far)
//! ```
//!
//! Loshchilov and Hutter 2019, <https://arxiv.org/abs/1711.05101>.

use crate::numeric::bias_correction::AdamCoefficients;
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
    /// Options of AdamW.
    pub(crate) struct AdamWOptions {
        /// Learning rate.
        lr: f64 = 1e-3, limit AtLeast(0.0);
        /// Decay rate of the average gradient.
        beta1: f64 = 0.9, limit HalfOpen(0.0, 1.0), alias "betas[0]";
        /// Decay rate of the average squared gradient.
        beta2: f64 = 0.999, limit HalfOpen(0.0, 1.0), alias "betas[1]";
        /// Added to the denominator.
        eps: f64 = 1e-8, limit AtLeast(0.0);
        /// Weight decay, subtracted from the parameter and not added to the gradient.
        decay: f64 = 0.01, limit AtLeast(0.0), alias "weight_decay";
        /// Divide by the largest average squared gradient so far.
        amsgrad: bool = false;
        /// Maximize instead of minimize: negate the gradient first.
        maximize: bool = false, extension true;
    }
}

pub(crate) struct AdamW;

impl Rule for AdamW {
    type Options = AdamWOptions;
    type Constants<T: Scalar> = Constants<T>;
    const NAME: &'static str = "adamw";
    const PYTORCH: Option<&'static str> = Some("torch.optim.AdamW");
    const ABOUT: &'static str = "Adam with weight decay that the moments do not see.";
    const BUFFERS: &'static [&'static str] = &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"];
    const OPTIONAL_BUFFERS: usize = 1;
    const GRADIENT_AVERAGES: [bool; RULE_BUFFERS] = [true, false, false];
    #[cfg(not(target_family = "wasm"))]
    const KERNELS: &'static [RuleKernels] = &[
        RuleKernels { update: adamw::SOURCE, apply: None, buffers: &[0, 1] },
        RuleKernels { update: amsgrad::SOURCE, apply: None, buffers: &[0, 1, 2] },
    ];

    #[cfg(not(target_family = "wasm"))]
    fn kernel_constants<T: Scalar>(constants: &Self::Constants<T>) -> (usize, [f64; MAX_CONSTANTS]) {
        match constants {
            Constants::Plain(c) => (0, c.values()),
            Constants::Amsgrad(c) => (1, c.values()),
        }
    }

    fn initial_values(o: &AdamWOptions) -> [Option<f64>; RULE_BUFFERS] {
        [Some(0.0), Some(0.0), o.amsgrad.then_some(0.0)]
    }

    fn constants<T: Scalar>(o: &AdamWOptions, step: &StepInputs) -> Self::Constants<T> {
        let AdamCoefficients { beta1, one_minus_beta1, beta2, one_minus_beta2, correction1, correction2 } =
            AdamCoefficients::new(o.beta1, o.beta2, step.step_count);
        // The constant includes the sign of the gradient, which is exact and free; squares do not depend on it.
        let sign = sign(o.maximize);
        let t = T::from_f64;
        let (rate, decay_factor, eps, correction2) =
            (t(o.lr * correction1), t(1.0 - o.lr * o.decay), t(o.eps), t(correction2));
        let (beta1, one_minus_beta1, beta2, one_minus_beta2) = (t(beta1), t(sign * one_minus_beta1), t(beta2), t(one_minus_beta2));
        if o.amsgrad {
            Constants::Amsgrad(amsgrad::Constants { rate, decay_factor, beta1, one_minus_beta1, beta2, one_minus_beta2, correction2, eps })
        } else {
            Constants::Plain(adamw::Constants { rate, decay_factor, beta1, one_minus_beta1, beta2, one_minus_beta2, correction2, eps })
        }
    }

    #[inline(always)]
    fn update<T: Scalar>(constants: &Constants<T>, block: Block<'_, T>) {
        let Block { parameter, gradient, state: [exp_avg, exp_avg_sq, max_exp_avg_sq] } = block;
        match constants {
            Constants::Plain(c) => adamw::run(parameter, gradient, exp_avg, exp_avg_sq, c),
            Constants::Amsgrad(c) => amsgrad::run(parameter, gradient, exp_avg, exp_avg_sq, max_exp_avg_sq, c),
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Constants<T> {
    Plain(adamw::Constants<T>),
    Amsgrad(amsgrad::Constants<T>),
}

kernel! {
    adamw(p, g, [m, v], [rate, decay_factor, beta1, one_minus_beta1, beta2, one_minus_beta2, correction2, eps]) {
        m = beta1 * m + one_minus_beta1 * g;
        v = beta2 * v + one_minus_beta2 * g * g;
        p = decay_factor * p - rate * (m / (sqrt(v) * correction2 + eps));
    }
}

kernel! {
    amsgrad(p, g, [m, v, max], [rate, decay_factor, beta1, one_minus_beta1, beta2, one_minus_beta2, correction2, eps]) {
        m = beta1 * m + one_minus_beta1 * g;
        v = beta2 * v + one_minus_beta2 * g * g;
        max = larger(max, v);
        p = decay_factor * p - rate * (m / (sqrt(max) * correction2 + eps));
    }
}
