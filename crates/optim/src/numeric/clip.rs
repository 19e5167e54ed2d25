//! Clipping: gradients made smaller on their way into a kernel, and left as they are where they lie.

use crate::numeric::scalar::Scalar;

/// How a step clips gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Clip {
    /// Not at all.
    #[default]
    None,
    /// All gradients of the step by one factor, so that their norm, taken as one vector, is at most this.
    Norm(f64),
    /// Each element to at most this, and at least its negative.
    Value(f64),
}

/// What is done to each element of a gradient before a formula sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GradientTransform {
    /// Nothing.
    Identity,
    /// Multiply.
    Scale(f64),
    /// Clamp to this and its negative.
    Clamp(f64),
    /// Multiply by the first, then clamp to the second and its negative.
    ScaleAndClamp(f64, f64),
}

impl Clip {
    /// What becomes of each element, from the norm of all gradients, as PyTorch's `clip_grad_norm_` has it.
    pub fn transform(self, norm: f64) -> GradientTransform {
        /// PyTorch's, so that a norm of 0 divides nothing.
        const SMALL: f64 = 1e-6;
        match self {
            Clip::None => GradientTransform::Identity,
            Clip::Value(max) => GradientTransform::Clamp(max),
            Clip::Norm(max) => match max / (norm + SMALL) {
                scale if scale >= 1.0 => GradientTransform::Identity,
                // Also a scale that is not a number, which PyTorch keeps too.
                scale => GradientTransform::Scale(scale),
            },
        }
    }
}

impl GradientTransform {
    /// The same of gradients that are multiplied by a factor and stay so.
    pub fn for_gradients_scaled_by(self, factor: f64) -> Self {
        match self {
            GradientTransform::Clamp(max) => GradientTransform::Clamp(max * factor),
            other => other,
        }
    }

    /// The same for gradients that are first multiplied by `scale`.
    pub(crate) fn after_scaling(self, scale: f64) -> Self {
        match self {
            same if scale == 1.0 => same,
            GradientTransform::Identity => GradientTransform::Scale(scale),
            GradientTransform::Scale(own) => GradientTransform::Scale(own * scale),
            GradientTransform::Clamp(max) => GradientTransform::ScaleAndClamp(scale, max),
            GradientTransform::ScaleAndClamp(own, max) => GradientTransform::ScaleAndClamp(own * scale, max),
        }
    }

    /// The same to elements in place.
    #[inline(always)]
    pub fn apply<T: Scalar>(self, elements: &mut [T]) {
        match self {
            GradientTransform::Identity => {}
            GradientTransform::Scale(scale) => {
                let scale = T::from_f64(scale);
                elements.iter_mut().for_each(|g| *g = *g * scale);
            }
            GradientTransform::ScaleAndClamp(scale, max) => {
                GradientTransform::Scale(scale).apply(elements);
                GradientTransform::Clamp(max).apply(elements);
            }
            GradientTransform::Clamp(max) => {
                let max = T::from_f64(max);
                for g in elements {
                    // A NaN stays one.
                    let limited = if *g > max { max } else { *g };
                    *g = if limited < -max { -max } else { limited };
                }
            }
        }
    }
}
