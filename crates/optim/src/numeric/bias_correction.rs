//! Constants of an exponential average of gradients and of their squares, shared by the Adam family.

/// Shares of past and present in both averages, and what corrects their start at zero. All in f64, so that the bias
/// corrections keep their digits; rounded to the parameter's type at the last moment.
pub(crate) struct AdamCoefficients {
    pub(crate) beta1: f64,
    pub(crate) one_minus_beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) one_minus_beta2: f64,
    /// 1 / (1 - beta1ᵗ), to multiply the average gradient.
    pub(crate) correction1: f64,
    /// 1 / √(1 - beta2ᵗ), to multiply the root of the average squared gradient.
    pub(crate) correction2: f64,
}

impl AdamCoefficients {
    /// For step `t`, counted from 1.
    pub(crate) fn new(beta1: f64, beta2: f64, t: u64) -> Self {
        // Where beta^t no longer changes 1, the correction is exactly 1; this spares the slow powers of tiny numbers.
        let left = |beta: f64| {
            if beta > 0.0 && (t as f64) * libm::log2(beta) > -60.0 { 1.0 - libm::pow(beta, t as f64) } else { 1.0 }
        };
        Self {
            beta1,
            one_minus_beta1: 1.0 - beta1,
            beta2,
            one_minus_beta2: 1.0 - beta2,
            correction1: 1.0 / left(beta1),
            correction2: 1.0 / left(beta2).sqrt(),
        }
    }

    /// Without the corrections.
    pub(crate) fn biased(beta1: f64, beta2: f64) -> Self {
        Self {
            beta1,
            one_minus_beta1: 1.0 - beta1,
            beta2,
            one_minus_beta2: 1.0 - beta2,
            correction1: 1.0,
            correction2: 1.0,
        }
    }
}
