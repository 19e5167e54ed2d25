//! LAMB as NVIDIA published it (NVLAMB): Adam's update, scaled for each tensor by the ratio of two norms.
//!
//! ```text
//! g = g / G, G = ‖all gradients‖                                  (globalnorm)
//! g = g / max(1, G / max_grad_norm)                               (globalnorm with max_grad_norm)
//! g = g + decay p, and below decay = 0                            (l2)
//! m = beta1 m + (1 - beta1) g                                     (beta1 m + g without grad_averaging)
//! v = beta2 v + (1 - beta2) g²
//! u = m / (1 - beta1ᵗ) / (√v / √(1 - beta2ᵗ) + eps) + decay p     (unbiased; else without the corrections)
//! r = ‖p‖ / ‖u‖, 1 if one of them is 0, clipped to [trustmin, trustmax]
//! r = 1                                                           (decay 0 without use_nvlamb)
//! p = p - lr r u
//! ```
//!
//! You et al. 2020, <https://arxiv.org/abs/1904.00962>; NVLAMB:
//! <https://developer.nvidia.com/blog/pretraining-bert-with-layer-wise-adaptive-learning-rates>.
//! A global norm of 0 does not divide, norms are summed in f64, and the gradient in memory does not change. A norm is
//! NaN if an element is. It then makes everything that it divides or multiplies NaN, as in `clip_grad_norm_` and apex.
//! With globalnorm these are all parameters.
//!
//! The extensions are options of `FusedLAMB` in NVIDIA's apex, <https://github.com/NVIDIA/apex>; their defaults give
//! NVLAMB. apex counts steps for each group, this implementation for each tensor.

use crate::error::{Code, Error, Result};
use crate::number::Number;
use crate::numeric::bias_correction::AdamCoefficients;
#[cfg(not(target_family = "wasm"))]
use crate::numeric::kernel::MAX_CONSTANTS;
use crate::numeric::kernel::{kernel, sign};
use crate::numeric::scalar::Scalar;
use crate::options::rule_options::rule_options;
use crate::options::table::Limit::*;
#[cfg(not(target_family = "wasm"))]
use crate::rule::{MAX_NORM_INPUTS, RuleKernels};
use crate::rule::{Block, Rule, StepInputs};
use crate::state::param_state::RULE_BUFFERS;

rule_options! {
    /// Options of LAMB.
    pub(crate) struct LambOptions {
        /// Learning rate.
        lr: f64 = 1e-3, limit AtLeast(0.0);
        /// Decay rate of the average gradient.
        beta1: f64 = 0.9, limit HalfOpen(0.0, 1.0), alias "betas[0]";
        /// Decay rate of the average squared gradient.
        beta2: f64 = 0.999, limit HalfOpen(0.0, 1.0), alias "betas[1]";
        /// Added to the denominator.
        eps: f64 = 1e-8, limit AtLeast(0.0);
        /// Weight decay, added to the update before the trust ratio.
        decay: f64 = 0.0, limit AtLeast(0.0), alias "weight_decay";
        /// Correct the bias of both averages.
        unbiased: bool = true, alias "bias_correction";
        /// Divide the gradients by the norm of the gradients of all groups.
        globalnorm: bool = true;
        /// Clip the trust ratio.
        trustclip: bool = true;
        /// Smallest trust ratio.
        trustmin: f64 = 0.0, limit AtLeast(0.0);
        /// Largest trust ratio.
        trustmax: f64 = 1.0, limit AtLeast(0.0);
        /// With globalnorm, divide the gradients only if that norm is larger, by norm / max_grad_norm.
        max_grad_norm: Option<f64> = None, limit Above(0.0), extension true;
        /// Weight a new gradient by 1 - beta1 in the average; false: by 1.
        grad_averaging: bool = true, extension true;
        /// Add weight decay to the gradient instead of to the update.
        l2: bool = false, extension true;
        /// Apply a trust ratio to every tensor; false: only where decay is not 0.
        use_nvlamb: bool = true, extension true;
        /// Maximize instead of minimize: negate the gradient first.
        maximize: bool = false, extension true;
    }
}

pub(crate) struct Lamb;

impl Rule for Lamb {
    type Options = LambOptions;
    type Constants<T: Scalar> = Constants<T>;
    const NAME: &'static str = "lamb";
    const PYTORCH: Option<&'static str> = None;
    const ABOUT: &'static str = "Layer-wise adaptive moments for large batches: Adam's update times a trust ratio.";
    const TWO_STAGES: bool = true;
    const BUFFERS: &'static [&'static str] = &["exp_avg", "exp_avg_sq"];
    const GRADIENT_AVERAGES: [bool; RULE_BUFFERS] = [true, false, false];
    #[cfg(not(target_family = "wasm"))]
    const KERNELS: &'static [RuleKernels] = &[
        RuleKernels { update: moments::SOURCE, apply: Some(apply::SOURCE), buffers: &[0, 1] },
    ];

    #[cfg(not(target_family = "wasm"))]
    fn kernel_constants<T: Scalar>(constants: &Self::Constants<T>) -> (usize, [f64; MAX_CONSTANTS]) {
        (0, constants.moments.values())
    }

    #[cfg(not(target_family = "wasm"))]
    const NORM_FUNCTIONS: &'static str = include_str!("lamb.cuh");

    #[cfg(not(target_family = "wasm"))]
    fn norm_inputs(o: &LambOptions) -> [f64; MAX_NORM_INPUTS] {
        let flag = |is_set: bool| if is_set { 1.0 } else { 0.0 };
        let mut inputs = [0.0; MAX_NORM_INPUTS];
        // In the order of the enumeration of `lamb.cuh`.
        inputs[..9].copy_from_slice(&[
            o.lr,
            sign(o.maximize),
            flag(o.globalnorm),
            flag(o.max_grad_norm.is_some()),
            o.max_grad_norm.unwrap_or(1.0),
            flag(o.decay == 0.0 && !o.use_nvlamb),
            flag(o.trustclip),
            o.trustmin,
            o.trustmax,
        ]);
        inputs
    }

    fn initial_values(_: &LambOptions) -> [Option<f64>; RULE_BUFFERS] {
        [Some(0.0), Some(0.0), None]
    }

    fn check(o: &LambOptions) -> Result<()> {
        if o.trustmin > o.trustmax {
            let (max, given) = (Number(o.trustmax), Number(o.trustmin));
            let message = format_args!("lamb trustmin: expected at most trustmax {max}, given {given}");
            return Err(Error::new(Code::OptionRange, message));
        }
        Ok(())
    }

    fn wants_gradient_norm(o: &LambOptions) -> bool {
        o.globalnorm
    }

    fn constants<T: Scalar>(o: &LambOptions, step: &StepInputs) -> Constants<T> {
        let AdamCoefficients { beta1, one_minus_beta1, beta2, one_minus_beta2, correction1, correction2 } =
            match o.unbiased {
                true => AdamCoefficients::new(o.beta1, o.beta2, step.step_count),
                false => AdamCoefficients::biased(o.beta1, o.beta2),
            };
        let gradient_weight = if o.grad_averaging { one_minus_beta1 } else { 1.0 };
        let (l2, decay) = if o.l2 { (o.decay, 0.0) } else { (0.0, o.decay) };

        let t = T::from_f64;
        let (decay, eps, correction1, correction2) = (t(decay), t(o.eps), t(correction1), t(correction2));
        // In two factors, of which the second is 1 except for denormal gradients. The inverse of their norm overflows
        // f32.
        const MAX_SCALE: f64 = 1e30;
        let scale = 1.0 / norm_divisor(o, step.gradient_norm);
        let (scale, rescale) = if scale > MAX_SCALE { (MAX_SCALE, scale / MAX_SCALE) } else { (scale, 1.0) };
        let moments = moments::Constants {
            scale: t(sign(o.maximize) * scale),
            rescale: t(rescale),
            l2: t(l2),
            beta1: t(beta1),
            gradient_weight: t(gradient_weight),
            beta2: t(beta2),
            one_minus_beta2: t(one_minus_beta2),
            correction1,
            correction2,
            eps,
            decay,
        };
        // The factor of each parameter replaces this rate.
        Constants { moments, apply: apply::Constants { rate: t(0.0), correction1, correction2, eps, decay } }
    }

    #[inline(always)]
    fn measure<T: Scalar>(constants: &Constants<T>, block: Block<'_, T>, update: &mut [T]) {
        let Block { parameter, gradient, state: [exp_avg, exp_avg_sq, _] } = block;
        moments::run(parameter, gradient, exp_avg, exp_avg_sq, update, &constants.moments);
    }

    fn factor(o: &LambOptions, parameter_norm: f64, update_norm: f64) -> f64 {
        o.lr * trust_ratio(o, parameter_norm, update_norm)
    }

    #[inline(always)]
    fn apply<T: Scalar>(constants: &Constants<T>, factor: T, block: Block<'_, T>) {
        let Block { parameter, gradient, state: [exp_avg, exp_avg_sq, _] } = block;
        let constants = apply::Constants { rate: factor, ..constants.apply };
        apply::run(parameter, gradient, exp_avg, exp_avg_sq, &constants);
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Constants<T> {
    moments: moments::Constants<T>,
    apply: apply::Constants<T>,
}

/// The divisor of the gradients.
fn norm_divisor(o: &LambOptions, gradient_norm: f64) -> f64 {
    let divisor = gradient_norm / o.max_grad_norm.unwrap_or(1.0);
    // A NaN divides, too: it shows in all gradients, whereas gradients that were not divided would look right.
    let keeps = if o.max_grad_norm.is_some() { divisor <= 1.0 } else { divisor == 0.0 };
    if o.globalnorm && !keeps { divisor } else { 1.0 }
}

/// The trust ratio, from the norms of the tensor and of its update.
fn trust_ratio(o: &LambOptions, parameter_norm: f64, update_norm: f64) -> f64 {
    if o.decay == 0.0 && !o.use_nvlamb {
        return 1.0;
    }
    let ratio = if parameter_norm == 0.0 || update_norm == 0.0 { 1.0 } else { parameter_norm / update_norm };
    // Not `clamp`, which panics if the bounds are in the wrong order.
    match ratio {
        r if o.trustclip && r < o.trustmin => o.trustmin,
        r if o.trustclip && r > o.trustmax => o.trustmax,
        r => r,
    }
}

kernel! {
    /// Updates both averages, and writes the update before its trust ratio.
    moments(
        p, g, [m, v],
        [scale, rescale, beta1, gradient_weight, beta2, one_minus_beta2, correction1, correction2, eps],
        terms [l2, decay]
    ) -> u {
        let g = with_term(g * scale * rescale, l2, p);
        m = beta1 * m + gradient_weight * g;
        v = beta2 * v + one_minus_beta2 * g * g;
        let u = with_term(m * correction1 / (sqrt(v) * correction2 + eps), decay, p);
    }
}

kernel! {
    /// Computes the update again and applies it, where that is cheaper than storing it.
    apply(p, g, [m, v], [rate, correction1, correction2, eps], terms [decay]) {
        let u = with_term(m * correction1 / (sqrt(v) * correction2 + eps), decay, p);
        p = p - rate * u;
    }
}
