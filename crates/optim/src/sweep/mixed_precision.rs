//! Conversion of 16-bit elements, and master weights.

use half::{bf16, f16};

use crate::numeric::norm::BLOCK_LEN;
use crate::numeric::scalar::{Scalar, SixteenBit};
use crate::state::param_state::MASTER;
use crate::state::view::Element;
use crate::sweep::param_tensor::ParamTensor;

impl ParamTensor {
    /// Updates master weights from a 16-bit parameter that was set from outside: each one that does not round to its
    /// element.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`].
    #[inline(always)]
    pub(super) unsafe fn refresh_masters(&self, start: usize, length: usize) {
        if !self.element.is_16_bit() {
            return;
        }
        // SAFETY: as the caller promises; master weights are f32.
        unsafe {
            match self.element {
                Element::Half => refresh(
                    Self::elements::<f16>(self.parameter, start, length),
                    Self::elements(self.buffers[MASTER], start, length),
                    [f16::ZERO; BLOCK_LEN],
                ),
                Element::BFloat16 => refresh(
                    Self::elements::<bf16>(self.parameter, start, length),
                    Self::elements(self.buffers[MASTER], start, length),
                    [bf16::ZERO; BLOCK_LEN],
                ),
                Element::Float | Element::Double => {}
            }
        }
    }

    /// The gradient's elements in memory, or widened into `wide` if they have 16 bits.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`].
    #[inline(always)]
    pub(super) unsafe fn gradient<'a, T: Scalar>(
        &self,
        start: usize,
        wide: &'a mut [T; BLOCK_LEN],
        length: usize,
    ) -> &'a mut [T] {
        // SAFETY: as the caller promises.
        unsafe {
            match self.element {
                _ if !self.element.is_16_bit() => Self::elements(self.gradient, start, length),
                Element::Half if T::WIDENS => {
                    let wide = &mut wide[..length];
                    T::widen(Self::elements::<f16>(self.gradient, start, length), wide);
                    wide
                }
                Element::BFloat16 if T::WIDENS => {
                    let wide = &mut wide[..length];
                    T::widen(Self::elements::<bf16>(self.gradient, start, length), wide);
                    wide
                }
                _ => Self::elements(self.gradient, start, length),
            }
        }
    }

    /// Writes the new weights to the 16-bit parameter, and updates the average.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`].
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(super) unsafe fn write_back<T: Scalar>(&self, start: usize, length: usize) {
        if !self.needs_block_loop() {
            return;
        }
        // SAFETY: as the caller promises.
        unsafe {
            let weights: &[T] = self.weights(start, length);
            match self.element {
                _ if !self.element.is_16_bit() => {}
                Element::Half if T::WIDENS => {
                    T::narrow(weights, Self::elements::<f16>(self.parameter, start, length));
                }
                Element::BFloat16 if T::WIDENS => {
                    T::narrow(weights, Self::elements::<bf16>(self.parameter, start, length));
                }
                _ => {}
            }
            self.update_average(weights, start, length);
        }
    }
}

/// Implements [`ParamTensor::refresh_masters`] for one 16-bit type.
#[inline(always)]
fn refresh<H: SixteenBit + PartialEq + Into<f32>>(parameter: &[H], master: &mut [f32], mut scratch: [H; BLOCK_LEN]) {
    let rounded = &mut scratch[..master.len()];
    H::narrow(master, rounded);
    if *rounded == *parameter {
        return;
    }
    for ((master, rounded), parameter) in master.iter_mut().zip(rounded).zip(parameter) {
        if *rounded != *parameter {
            *master = (*parameter).into();
        }
    }
}
