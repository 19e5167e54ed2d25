//! SGD with momentum.
//!
//! ```text
//! g = g + decay p
//! b = momentum b + (1 - dampening) g      (b = g at the first step)
//! p = p - lr b                            (p - lr (g + momentum b) with nesterov)
//! ```
//!
//! Sutskever et al. 2013, <https://proceedings.mlr.press/v28/sutskever13.html>, in the form of PyTorch's `SGD`.

use crate::error::{Code, Error, Result};
use crate::number::Number;
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
    /// Options of SGD.
    pub(crate) struct SgdOptions {
        /// Learning rate.
        lr: f64 = 0.01, limit AtLeast(0.0);
        /// Weight of the last update in the next.
        momentum: f64 = 0.0, limit AtLeast(0.0);
        /// Part of the gradient that is left out of the momentum.
        dampening: f64 = 0.0, limit AtLeast(0.0);
        /// Weight decay, added to the gradient.
        decay: f64 = 0.0, limit AtLeast(0.0), alias "weight_decay";
        /// Look one step ahead; needs momentum > 0 and dampening 0.
        nesterov: bool = false;
        /// Maximize instead of minimize: negate the gradient first.
        maximize: bool = false, extension true;
    }
}

pub(crate) struct Sgd;

impl Rule for Sgd {
    type Options = SgdOptions;
    type Constants<T: Scalar> = Constants<T>;
    const NAME: &'static str = "sgd";
    const PYTORCH: Option<&'static str> = Some("torch.optim.SGD");
    const ABOUT: &'static str = "Stochastic gradient descent, with optional momentum.";
    const COUNTS_STEPS: bool = false;
    const BUFFERS: &'static [&'static str] = &["momentum_buffer"];
    const OPTIONAL_BUFFERS: usize = 1;
    const GRADIENT_AVERAGES: [bool; RULE_BUFFERS] = [true, false, false];
    #[cfg(not(target_family = "wasm"))]
    const KERNELS: &'static [RuleKernels] = &[
        RuleKernels { update: plain::SOURCE, apply: None, buffers: &[] },
        RuleKernels { update: momentum::SOURCE, apply: None, buffers: &[0] },
    ];

    #[cfg(not(target_family = "wasm"))]
    fn kernel_constants<T: Scalar>(constants: &Self::Constants<T>) -> (usize, [f64; MAX_CONSTANTS]) {
        match constants {
            Constants::Plain(c) => (0, c.values()),
            Constants::Momentum(c) => (1, c.values()),
        }
    }

    fn initial_values(o: &SgdOptions) -> [Option<f64>; RULE_BUFFERS] {
        [(o.momentum > 0.0).then_some(0.0), None, None]
    }

    fn check(o: &SgdOptions) -> Result<()> {
        if o.nesterov && (o.momentum == 0.0 || o.dampening != 0.0) {
            let given = format!("momentum {} and dampening {}", Number(o.momentum), Number(o.dampening));
            let message = format_args!("sgd nesterov: expected momentum > 0 and dampening 0, given {given}");
            return Err(Error::new(Code::OptionRange, message));
        }
        Ok(())
    }

    fn constants<T: Scalar>(o: &SgdOptions, step: &StepInputs) -> Constants<T> {
        let t = T::from_f64;
        let (lr, sign, decay) = (t(o.lr), t(sign(o.maximize)), t(o.decay));
        if o.momentum == 0.0 {
            return Constants::Plain(plain::Constants { lr, sign, decay });
        }
        Constants::Momentum(momentum::Constants {
            lr,
            sign,
            decay,
            momentum: t(o.momentum),
            gradient_weight: t(if step.created { 1.0 } else { 1.0 - o.dampening }),
            // The update is b, or g + momentum b with nesterov.
            nesterov_momentum: t(if o.nesterov { o.momentum } else { 0.0 }),
        })
    }

    #[inline(always)]
    fn update<T: Scalar>(constants: &Constants<T>, block: Block<'_, T>) {
        let Block { parameter, gradient, state: [momentum_buffer, ..] } = block;
        match constants {
            Constants::Plain(c) => plain::run(parameter, gradient, c),
            Constants::Momentum(c) => momentum::run(parameter, gradient, momentum_buffer, c),
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Constants<T> {
    Plain(plain::Constants<T>),
    Momentum(momentum::Constants<T>),
}

kernel! {
    plain(p, g, [], [lr, sign], terms [decay]) {
        p = p - lr * with_term(sign * g, decay, p);
    }
}

kernel! {
    momentum(p, g, [b], [lr, sign, momentum, gradient_weight], terms [decay, nesterov_momentum]) {
        let g = with_term(sign * g, decay, p);
        b = momentum * b + gradient_weight * g;
        p = p - lr * nesterov_update(b, g, nesterov_momentum);
    }
}
