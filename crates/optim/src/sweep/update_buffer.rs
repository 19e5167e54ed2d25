//! The buffer that holds updates between the two stages of a rule.

use std::ptr::NonNull;

use crate::error::Result;
use crate::memory::{ArenaArray, padding_to_offset};
use crate::numeric::scalar::Scalar;
use crate::state::page_offsets::{PADDING_ELEMENTS, UPDATE_BUFFER, page_offset};
use crate::sweep::param_tensor::ParamTensor;

/// Holds the updates of one tensor at a time, in f32 or f64. An update of the next tensor overwrites the update with
/// the same index, once that was applied.
#[derive(Default)]
pub(crate) struct UpdateBuffer {
    floats: Option<ArenaArray<f32>>,
    doubles: Option<ArenaArray<f64>>,
    /// The address of the parameter of one tensor; most parameters have the same page offset.
    parameter_address: usize,
}

/// Pointer to the stored updates of a tensor.
#[derive(Clone, Copy)]
pub(crate) struct UpdatePtr(NonNull<u8>);

// SAFETY: one thread at a time accesses each element, as in a tensor.
unsafe impl Send for UpdatePtr {}
// SAFETY: as above.
unsafe impl Sync for UpdatePtr {}

impl UpdatePtr {
    /// The updates of a range of elements.
    ///
    /// # Safety
    /// As for [`crate::sweep::erased_rule::ErasedRule::apply_and_measure`]; in addition, the formula computes the
    /// tensor in `T`.
    #[inline(always)]
    pub(super) unsafe fn block<'a, T: Scalar>(self, start: usize, length: usize) -> &'a mut [T] {
        // SAFETY: as the caller promises; the buffer holds the whole tensor.
        unsafe { ParamTensor::elements(self.0.as_ptr(), start, length) }
    }
}

impl UpdateBuffer {
    /// Grows the buffer to the largest tensor whose updates are stored.
    pub(super) fn reserve<'a>(&mut self, tensors: impl Iterator<Item = &'a ParamTensor>) -> Result<()> {
        let [mut floats, mut doubles] = [0; 2];
        for tensor in tensors.filter(|tensor| tensor.stores_updates()) {
            let length = if tensor.is_double() { &mut doubles } else { &mut floats };
            *length = tensor.length.max(*length);
            self.parameter_address = tensor.address();
        }
        fn grow<T: Scalar>(elements: &mut Option<ArenaArray<T>>, length: usize) -> Result<()> {
            if elements.as_ref().map_or(0, |elements| elements.len()) < length + PADDING_ELEMENTS && length > 0 {
                *elements = None;
                *elements = Some(ArenaArray::new(length + PADDING_ELEMENTS, 0, 0)?);
            }
            Ok(())
        }
        grow(&mut self.floats, floats)?;
        grow(&mut self.doubles, doubles)
    }

    /// Sets the parameter address, which determines the page offset of the buffer, once the tensors have their state
    /// buffers.
    pub(super) fn set_parameter_address<'a>(&mut self, tensors: impl Iterator<Item = &'a ParamTensor>) {
        self.parameter_address =
            tensors.filter(|tensor| tensor.stores_updates()).last().map_or(0, ParamTensor::address);
    }

    /// The pointer to the updates of a tensor, if they are stored.
    pub(super) fn updates(&self, tensor: &ParamTensor) -> Option<UpdatePtr> {
        fn pointer<T: Scalar>(
            elements: &Option<ArenaArray<T>>,
            tensor: &ParamTensor,
            parameter_address: usize,
        ) -> Option<UpdatePtr> {
            let elements = elements.as_ref()?;
            let start = padding_to_offset(elements.first().addr().get(), page_offset(parameter_address, UPDATE_BUFFER))
                / size_of::<T>();
            // SAFETY: within the buffer.
            (start + tensor.length <= elements.len()).then(|| UpdatePtr(unsafe { elements.first().add(start) }.cast()))
        }
        match tensor.stores_updates() {
            true if tensor.is_double() => pointer(&self.doubles, tensor, self.parameter_address),
            true => pointer(&self.floats, tensor, self.parameter_address),
            false => None,
        }
    }
}
