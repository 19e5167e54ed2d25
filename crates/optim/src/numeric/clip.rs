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
pub enum Prepare {
    /// Nothing.
    Keep,
    /// Multiply.
    Scale(f64),
    /// Clamp to this and its negative.
    Limit(f64),
    /// Multiply by the first, then clamp to the second and its negative.
    ScaleAndLimit(f64, f64),
}

impl Clip {
    /// What becomes of each element, from the norm of all gradients, as PyTorch's `clip_grad_norm_` has it.
    pub fn prepare(self, norm: f64) -> Prepare {
        /// PyTorch's, so that a norm of 0 divides nothing.
        const SMALL: f64 = 1e-6;
        match self {
            Clip::None => Prepare::Keep,
            Clip::Value(max) => Prepare::Limit(max),
            Clip::Norm(max) => match max / (norm + SMALL) {
                scale if scale >= 1.0 => Prepare::Keep,
                // Also a scale that is not a number, which PyTorch keeps too.
                scale => Prepare::Scale(scale),
            },
        }
    }
}

impl Prepare {
    /// The same of gradients that are multiplied by a factor and stay so.
    pub fn of_multiplied(self, factor: f64) -> Self {
        match self {
            Prepare::Limit(max) => Prepare::Limit(max * factor),
            other => other,
        }
    }

    /// The same for gradients that are first multiplied by `scale`.
    pub(crate) fn of_scaled(self, scale: f64) -> Self {
        match self {
            same if scale == 1.0 => same,
            Prepare::Keep => Prepare::Scale(scale),
            Prepare::Scale(own) => Prepare::Scale(own * scale),
            Prepare::Limit(max) => Prepare::ScaleAndLimit(scale, max),
            Prepare::ScaleAndLimit(own, max) => Prepare::ScaleAndLimit(own * scale, max),
        }
    }

    /// The same to elements in place.
    #[inline(always)]
    pub fn apply<T: Scalar>(self, elements: &mut [T]) {
        match self {
            Prepare::Keep => {}
            Prepare::Scale(scale) => {
                let scale = T::from_f64(scale);
                elements.iter_mut().for_each(|g| *g = *g * scale);
            }
            Prepare::ScaleAndLimit(scale, max) => {
                Prepare::Scale(scale).apply(elements);
                Prepare::Limit(max).apply(elements);
            }
            Prepare::Limit(max) => {
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
