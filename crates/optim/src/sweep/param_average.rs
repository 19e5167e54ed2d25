//! The moving average of a parameter.

use crate::numeric::scalar::Scalar;
use crate::state::param_state::PARAM_AVERAGE;
use crate::sweep::param_tensor::ParamTensor;

impl ParamTensor {
    /// Updates the moving average of the parameter, if it has one, from its new weights.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`].
    #[inline(always)]
    pub(super) unsafe fn update_average<T: Scalar>(&self, weights: &[T], start: usize, length: usize) {
        if self.buffers[PARAM_AVERAGE].is_null() {
            return;
        }
        // SAFETY: as the caller promises.
        let average = unsafe { Self::elements::<T>(self.buffers[PARAM_AVERAGE], start, length) };
        if self.created_param_average {
            average.copy_from_slice(weights);
        } else {
            // As torch's `lerp`, from the nearer end.
            let (past, rest) = (T::from_f64(self.average_decay), T::from_f64(1.0 - self.average_decay));
            if self.average_decay > 0.5 {
                for (average, weight) in average.iter_mut().zip(weights) {
                    *average = *average + rest * (*weight - *average);
                }
            } else {
                for (average, weight) in average.iter_mut().zip(weights) {
                    *average = *weight - (*weight - *average) * past;
                }
            }
        }
    }
}
