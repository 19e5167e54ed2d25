//! Gradient clipping, which changes the gradients that a kernel reads and not the gradients in memory.

use crate::numeric::scalar::Scalar;

/// The clipping of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Clip {
    /// No clipping.
    #[default]
    None,
    /// Multiplies all gradients by one factor, so that their L2 norm as one vector is at most this.
    Norm(f64),
    /// Clamps each element to this and its negative.
    Value(f64),
}

/// The transform of each gradient element before the formula: unscale and clip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GradientTransform {
    /// No change.
    Identity,
    /// Multiplies by a factor.
    Scale(f64),
    /// Clamps to this and its negative.
    Clamp(f64),
    /// Multiplies by the first number, then clamps to the second and its negative.
    ScaleAndClamp(f64, f64),
}

impl Clip {
    /// The transform for gradients with this norm, as in PyTorch's `clip_grad_norm_`.
    pub fn transform(self, norm: f64) -> GradientTransform {
        /// The constant of `clip_grad_norm_`, which keeps a norm of 0 from dividing by 0.
        const EPSILON: f64 = 1e-6;
        match self {
            Clip::None => GradientTransform::Identity,
            Clip::Value(max) => GradientTransform::Clamp(max),
            Clip::Norm(max) => match max / (norm + EPSILON) {
                scale if scale >= 1.0 => GradientTransform::Identity,
                // Includes a scale that is NaN, which PyTorch keeps, too.
                scale => GradientTransform::Scale(scale),
            },
        }
    }
}

impl GradientTransform {
    /// The transform for gradients that stay multiplied by `factor`.
    pub fn for_gradients_scaled_by(self, factor: f64) -> Self {
        match self {
            GradientTransform::Clamp(max) => GradientTransform::Clamp(max * factor),
            other => other,
        }
    }

    /// The transform for gradients that are first multiplied by `scale`.
    pub(crate) fn after_scaling(self, scale: f64) -> Self {
        match self {
            same if scale == 1.0 => same,
            GradientTransform::Identity => GradientTransform::Scale(scale),
            GradientTransform::Scale(own) => GradientTransform::Scale(own * scale),
            GradientTransform::Clamp(max) => GradientTransform::ScaleAndClamp(scale, max),
            GradientTransform::ScaleAndClamp(own, max) => GradientTransform::ScaleAndClamp(own * scale, max),
        }
    }

    /// Transforms elements in place.
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
                    // NaN stays NaN.
                    let limited = if *g > max { max } else { *g };
                    *g = if limited < -max { -max } else { limited };
                }
            }
        }
    }
}
