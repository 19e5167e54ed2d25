//! RMSprop.
//!
//! ```text
//! g = g + decay p
//! s = alpha s + (1 - alpha) g²
//! a = alpha a + (1 - alpha) g             (centered; else a = 0)
//! u = g / (√max(s - a², 0) + eps)
//! b = momentum b + u                      (momentum > 0; else b = u)
//! p = p - lr b
//! ```
//!
//! Hinton, lecture 6e, <https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf>; centered: Graves
//! 2013, <https://arxiv.org/abs/1308.0850>. If a gradient hardly changes, the variance s - a² is a difference of nearly
//! equal numbers. Rounding may make it negative, and PyTorch then takes the root of a negative number, which is NaN.

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
    /// Options of RMSprop.
    pub(crate) struct RmsPropOptions {
        /// Learning rate.
        lr: f64 = 0.01, limit AtLeast(0.0);
        /// Decay rate of the average squared gradient.
        alpha: f64 = 0.99, limit AtLeast(0.0);
        /// Added to the denominator.
        eps: f64 = 1e-8, limit AtLeast(0.0);
        /// Weight decay, added to the gradient.
        decay: f64 = 0.0, limit AtLeast(0.0), alias "weight_decay";
        /// Weight of the last update in the next.
        momentum: f64 = 0.0, limit AtLeast(0.0);
        /// Divide by the standard deviation of the gradient instead of its root mean square.
        centered: bool = false;
        /// Maximize instead of minimize: negate the gradient first.
        maximize: bool = false, extension true;
    }
}

pub(crate) struct RmsProp;

impl Rule for RmsProp {
    type Options = RmsPropOptions;
    type Constants<T: Scalar> = Constants<T>;
    const NAME: &'static str = "rmsprop";
    const PYTORCH: Option<&'static str> = Some("torch.optim.RMSprop");
    const ABOUT: &'static str = "Adagrad with an exponential average of squared gradients instead of their sum.";
    const BUFFERS: &'static [&'static str] = &["square_avg", "momentum_buffer", "grad_avg"];
    const OPTIONAL_BUFFERS: usize = 2;
    const GRADIENT_AVERAGES: [bool; RULE_BUFFERS] = [false, true, false];
    #[cfg(not(target_family = "wasm"))]
    const KERNELS: &'static [RuleKernels] = &[
        RuleKernels { update: plain::SOURCE, apply: None, buffers: &[0] },
        RuleKernels { update: with_momentum::SOURCE, apply: None, buffers: &[0, 1] },
        RuleKernels { update: centered::SOURCE, apply: None, buffers: &[0, 2] },
        RuleKernels { update: centered_with_momentum::SOURCE, apply: None, buffers: &[0, 1, 2] },
    ];

    #[cfg(not(target_family = "wasm"))]
    fn kernel_constants<T: Scalar>(constants: &Self::Constants<T>) -> (usize, [f64; MAX_CONSTANTS]) {
        match constants {
            Constants::Plain(c) => (0, c.values()),
            Constants::Momentum(c) => (1, c.values()),
            Constants::Centered(c) => (2, c.values()),
            Constants::Both(c) => (3, c.values()),
        }
    }

    fn initial_values(o: &RmsPropOptions) -> [Option<f64>; RULE_BUFFERS] {
        [Some(0.0), (o.momentum > 0.0).then_some(0.0), o.centered.then_some(0.0)]
    }

    fn constants<T: Scalar>(o: &RmsPropOptions, _step: &StepInputs) -> Constants<T> {
        let t = T::from_f64;
        let (lr, decay, eps, momentum) = (t(o.lr), t(o.decay), t(o.eps), t(o.momentum));
        let (sign, alpha, one_minus_alpha, zero) = (t(sign(o.maximize)), t(o.alpha), t(1.0 - o.alpha), t(0.0));
        match (o.momentum > 0.0, o.centered) {
            (false, false) => Constants::Plain(plain::Constants { lr, sign, alpha, one_minus_alpha, decay, eps }),
            (true, false) => {
                Constants::Momentum(with_momentum::Constants { lr, sign, alpha, one_minus_alpha, decay, eps, momentum })
            }
            (false, true) => Constants::Centered(centered::Constants { lr, sign, alpha, one_minus_alpha, decay, eps, zero }),
            (true, true) => {
                Constants::Both(centered_with_momentum::Constants { lr, sign, alpha, one_minus_alpha, decay, eps, zero, momentum })
            }
        }
    }

    #[inline(always)]
    fn update<T: Scalar>(constants: &Constants<T>, block: Block<'_, T>) {
        let Block { parameter: p, gradient: g, state: [square_avg, momentum_buffer, grad_avg] } = block;
        match constants {
            Constants::Plain(c) => plain::run(p, g, square_avg, c),
            Constants::Momentum(c) => with_momentum::run(p, g, square_avg, momentum_buffer, c),
            Constants::Centered(c) => centered::run(p, g, square_avg, grad_avg, c),
            Constants::Both(c) => centered_with_momentum::run(p, g, square_avg, momentum_buffer, grad_avg, c),
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Constants<T> {
    Plain(plain::Constants<T>),
    Momentum(with_momentum::Constants<T>),
    Centered(centered::Constants<T>),
    Both(centered_with_momentum::Constants<T>),
}

kernel! {
    plain(p, g, [s], [lr, sign, alpha, one_minus_alpha, eps], terms [decay]) {
        let g = with_term(sign * g, decay, p);
        s = alpha * s + one_minus_alpha * g * g;
        p = p - lr * (g / (sqrt(s) + eps));
    }
}

kernel! {
    with_momentum(p, g, [s, b], [lr, sign, alpha, one_minus_alpha, eps, momentum], terms [decay]) {
        let g = with_term(sign * g, decay, p);
        s = alpha * s + one_minus_alpha * g * g;
        b = momentum * b + g / (sqrt(s) + eps);
        p = p - lr * b;
    }
}

kernel! {
    centered(p, g, [s, a], [lr, sign, alpha, one_minus_alpha, eps, zero], terms [decay]) {
        let g = with_term(sign * g, decay, p);
        s = alpha * s + one_minus_alpha * g * g;
        a = alpha * a + one_minus_alpha * g;
        p = p - lr * (g / (sqrt(larger(zero, s - a * a)) + eps));
    }
}

kernel! {
    centered_with_momentum(p, g, [s, b, a], [lr, sign, alpha, one_minus_alpha, eps, zero, momentum], terms [decay]) {
        let g = with_term(sign * g, decay, p);
        s = alpha * s + one_minus_alpha * g * g;
        a = alpha * a + one_minus_alpha * g;
        b = momentum * b + g / (sqrt(larger(zero, s - a * a)) + eps);
        p = p - lr * b;
    }
}
