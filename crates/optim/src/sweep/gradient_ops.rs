//! Gradient operations: unscaling, clipping and zeroing.

use crate::numeric::clip::GradientTransform;
use crate::numeric::norm::BLOCK_LEN;
use crate::numeric::scalar::Scalar;
use crate::sweep::param_tensor::ParamTensor;

/// Gradient operations fused into the kernel: unscale, clip, zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct GradientOps {
    pub(super) transform: GradientTransform,
    /// Zero the gradient after the last read.
    pub(super) zero: bool,
}

impl GradientOps {
    pub(super) const NONE: GradientOps = GradientOps { transform: GradientTransform::Identity, zero: false };
}

impl ParamTensor {
    /// Copies the gradient's elements into `scratch` and transforms them there. Zeroes them in memory if asked to.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`].
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(super) unsafe fn transformed_gradient<'a, T: Scalar>(
        &self,
        start: usize,
        scratch: &'a mut [T; BLOCK_LEN],
        length: usize,
        gradient_ops: GradientOps,
    ) -> &'a mut [T] {
        // SAFETY: as the caller promises.
        unsafe {
            if self.element.is_16_bit() {
                self.gradient(start, scratch, length);
                if gradient_ops.zero {
                    // Zero has the same bits in both 16-bit types.
                    Self::elements::<u16>(self.gradient, start, length).fill(0);
                }
            } else {
                let gradient = Self::elements::<T>(self.gradient, start, length);
                scratch[..length].copy_from_slice(gradient);
                if gradient_ops.zero {
                    gradient.fill(T::default());
                }
            }
        }
        let transformed = &mut scratch[..length];
        gradient_ops.transform.apply(transformed);
        transformed
    }
}
