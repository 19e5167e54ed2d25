//! The buffer of updates of an optimizer with two stages, from the first stage to the second.

use std::ptr::NonNull;

use crate::error::Result;
use crate::memory::{Elements, padding_to_offset};
use crate::numeric::scalar::Scalar;
use crate::state::page_offsets::{PADDING_ELEMENTS, UPDATE_BUFFER, page_offset};
use crate::sweep::param_tensor::ParamTensor;

/// Room for the updates of one tensor at a time, of either type. Those of the next may take the place of those that are not
/// wanted any more: an element of one tensor lies where that of another does.
#[derive(Default)]
pub(crate) struct UpdateBuffer {
    floats: Option<Elements<f32>>,
    doubles: Option<Elements<f64>>,
    /// Where the parameter of one of the tensors begins: mostly, all are at that place of a page.
    parameter_address: usize,
}

/// Where the updates of a tensor are kept from the first stage to the second.
#[derive(Clone, Copy)]
pub(crate) struct UpdatePtr(NonNull<u8>);

// SAFETY: the elements there are handed to one thread at a time, as those of a tensor.
unsafe impl Send for UpdatePtr {}
// SAFETY: as above.
unsafe impl Sync for UpdatePtr {}

impl UpdatePtr {
    /// Those of some elements.
    ///
    /// # Safety
    /// As for [`crate::sweep::erased_rule::ErasedRule::apply_and_measure`]; `T` is the type that the tensor is computed with in.
    #[inline(always)]
    pub(super) unsafe fn block<'a, T: Scalar>(self, start: usize, length: usize) -> &'a mut [T] {
        // SAFETY: as the caller promises; there is room for all of the tensor.
        unsafe { ParamTensor::elements(self.0.as_ptr(), start, length) }
    }
}

impl UpdateBuffer {
    /// Makes room for the largest of these tensors that keep their updates.
    pub(super) fn reserve<'a>(&mut self, tensors: impl Iterator<Item = &'a ParamTensor>) -> Result<()> {
        let [mut floats, mut doubles] = [0; 2];
        for tensor in tensors.filter(|tensor| tensor.stores_updates()) {
            let most = if tensor.is_double() { &mut doubles } else { &mut floats };
            *most = tensor.length.max(*most);
            self.parameter_address = tensor.address();
        }
        fn grow<T: Scalar>(elements: &mut Option<Elements<T>>, length: usize) -> Result<()> {
            if elements.as_ref().map_or(0, |elements| elements.len()) < length + PADDING_ELEMENTS && length > 0 {
                *elements = None;
                *elements = Some(Elements::new(length + PADDING_ELEMENTS)?);
            }
            Ok(())
        }
        grow(&mut self.floats, floats)?;
        grow(&mut self.doubles, doubles)
    }

    /// Keeps updates apart from these tensors, whose buffers are there now.
    pub(super) fn set_page_offset<'a>(&mut self, tensors: impl Iterator<Item = &'a ParamTensor>) {
        self.parameter_address =
            tensors.filter(|tensor| tensor.stores_updates()).last().map_or(0, ParamTensor::address);
    }

    /// The room of a tensor that keeps its updates.
    pub(super) fn updates(&self, tensor: &ParamTensor) -> Option<UpdatePtr> {
        fn pointer<T: Scalar>(
            elements: &Option<Elements<T>>,
            tensor: &ParamTensor,
            parameter_address: usize,
        ) -> Option<UpdatePtr> {
            let elements = elements.as_ref()?;
            let start = padding_to_offset(elements.first().addr().get(), page_offset(parameter_address, UPDATE_BUFFER))
                / size_of::<T>();
            // SAFETY: within the room.
            (start + tensor.length <= elements.len()).then(|| UpdatePtr(unsafe { elements.first().add(start) }.cast()))
        }
        match tensor.stores_updates() {
            true if tensor.is_double() => pointer(&self.doubles, tensor, self.parameter_address),
            true => pointer(&self.floats, tensor, self.parameter_address),
            false => None,
        }
    }
}
