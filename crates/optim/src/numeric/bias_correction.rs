//! Coefficients of the Adam family: weights of both exponential averages, and their bias corrections.

/// Weights and bias corrections of the averages of gradients and of their squares. In f64, so that the corrections keep
/// their digits; rules round them to the parameter's type at the end.
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
    /// The coefficients of step `t`, counted from 1.
    pub(crate) fn new(beta1: f64, beta2: f64, t: u64) -> Self {
        // If `beta^t` is below half an ulp of 1, the correction is exactly 1. This skips slow powers of tiny numbers.
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

    /// The coefficients without bias corrections.
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
