//! The elements of a parameter and of its gradient as slices.

use std::ffi::c_void;
use std::slice;

use half::{bf16, f16};
use stepwell_optim::{DeviceView, Element, View};

use crate::descriptors::ParameterDescriptor;
use crate::shim::{BFLOAT16, FLOAT, HALF};

/// The addresses of a descriptor that was checked, on the device with this index of a step; `None` without a gradient.
pub(crate) fn device_view(descriptor: &ParameterDescriptor, device: usize) -> Option<DeviceView> {
    let element = match descriptor.dtype {
        FLOAT => Element::Float,
        HALF => Element::Half,
        BFLOAT16 => Element::BFloat16,
        _ => Element::Double,
    };
    (descriptor.has_grad != 0).then(|| DeviceView {
        parameter: descriptor.data as u64,
        gradient: descriptor.grad_data as u64,
        length: descriptor.len(),
        element,
        device,
    })
}

/// The slices of a descriptor that was checked; `None` without a gradient.
pub(crate) fn view<'a>(descriptor: &ParameterDescriptor) -> Option<View<'a>> {
    /// # Safety
    /// Both addresses are of `len` elements that live for `'a` and are not accessed in another way.
    unsafe fn pair<'a, T>(descriptor: &ParameterDescriptor) -> (&'a mut [T], &'a mut [T]) {
        let len = descriptor.len();
        if len == 0 {
            // An empty tensor may have the address null, which a slice may not have.
            return (&mut [], &mut []);
        }
        let (data, grad): (*mut c_void, *mut c_void) = (descriptor.data, descriptor.grad_data.cast_mut());
        // SAFETY: as the caller promises; libtorch aligns elements to their size.
        unsafe { (slice::from_raw_parts_mut(data.cast(), len), slice::from_raw_parts_mut(grad.cast(), len)) }
    }
    if descriptor.has_grad == 0 {
        return None;
    }
    // SAFETY: parameter and gradient are dense, on the CPU, of this dtype and length, and overlap no other view. The borrowed
    // handles keep the parameters alive, and a parameter its gradient, which the engine does not replace while busy.
    Some(unsafe {
        match descriptor.dtype {
            FLOAT => {
                let (data, grad) = pair(descriptor);
                View::Float(data, grad)
            }
            HALF => {
                let (data, grad) = pair::<f16>(descriptor);
                View::Half(data, grad)
            }
            BFLOAT16 => {
                let (data, grad) = pair::<bf16>(descriptor);
                View::BFloat16(data, grad)
            }
            _ => {
                let (data, grad) = pair(descriptor);
                View::Double(data, grad)
            }
        }
    })
}
