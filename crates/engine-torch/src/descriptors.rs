//! Parameters and their gradients as the C++ shim describes them, a list at a time.

use std::ffi::c_void;
use std::{ptr, slice};

use stepwell_optim::Result;
use stepwell_optim::fallible::{push, reserve};
use torch_sys::C_tensor;

use crate::shim::{TensorRef, check, size};

/// Bits of [`ParameterDescriptor::layout`] and [`ParameterDescriptor::grad_layout`], as in shim.cpp.
pub(crate) const DENSE: u8 = 1;
pub(crate) const CONTIGUOUS: u8 = 2;
/// Bit of a gradient: its sizes equal the sizes of its parameter.
pub(crate) const FITS: u8 = 4;
/// [`ParameterDescriptor::device`] of the CPU.
pub(crate) const ON_CPU: u8 = 0;
/// [`ParameterDescriptor::device`] of `cuda:0`. The others follow, up to [`ON_OTHER`].
pub(crate) const ON_CUDA_0: u8 = 1;
/// [`ParameterDescriptor::device`] of a device that is neither the CPU nor CUDA.
pub(crate) const ON_OTHER: u8 = 255;

/// Addresses and metadata of a parameter and its gradient. Has the layout of `stepwell_parameter_descriptor`.
///
/// Without a gradient, or for a frozen parameter, all fields but `parameter` and `frozen_with_grad` are 0. An address is null
/// unless the tensor is dense, and on the CPU or on a CUDA device.
#[derive(Clone)]
#[repr(C)]
pub(crate) struct ParameterDescriptor {
    pub(crate) data: *mut c_void,
    pub(crate) storage: *const c_void,
    pub(crate) grad_data: *const c_void,
    pub(crate) grad_storage: *const c_void,
    #[allow(dead_code, reason = "read by the shim")]
    grad_impl: *const c_void,
    #[allow(dead_code, reason = "read by the shim")]
    parameter: *const c_void,
    elements: i64,
    pub(crate) dtype: u8,
    pub(crate) layout: u8,
    pub(crate) grad_dtype: u8,
    pub(crate) grad_layout: u8,
    pub(crate) has_grad: u8,
    /// Not 0 if the parameter has a gradient but does not require one.
    pub(crate) frozen_with_grad: u8,
    pub(crate) device: u8,
    pub(crate) grad_device: u8,
}

// SAFETY: plain numbers. Addresses are read by calls that check them against live tensors.
unsafe impl Send for ParameterDescriptor {}
// SAFETY: as above.
unsafe impl Sync for ParameterDescriptor {}

impl ParameterDescriptor {
    /// The descriptor of a parameter that was not described yet.
    const NONE: Self = Self {
        data: ptr::null_mut(),
        storage: ptr::null(),
        grad_data: ptr::null(),
        grad_storage: ptr::null(),
        grad_impl: ptr::null(),
        parameter: ptr::null(),
        elements: 0,
        dtype: 0,
        layout: 0,
        grad_dtype: 0,
        grad_layout: 0,
        has_grad: 0,
        frozen_with_grad: 0,
        device: 0,
        grad_device: 0,
    };

    pub(crate) fn len(&self) -> usize {
        size(self.elements)
    }
}

/// Addresses that identify a parameter and its gradient: equal addresses mean equal tensors while the parameter lives and the
/// metadata generation is unchanged. Has the layout of `stepwell_fingerprint`.
#[allow(dead_code, reason = "read by the shim")]
#[repr(C)]
pub(crate) struct Fingerprint {
    parameter: *const c_void,
    grad_field: *const c_void,
    gradient: *const c_void,
}

// SAFETY: addresses that calls compare and do not follow.
unsafe impl Send for Fingerprint {}
// SAFETY: as above.
unsafe impl Sync for Fingerprint {}

// The sizes in shim.cpp.
const _: () = assert!(size_of::<ParameterDescriptor>() == 64 && size_of::<Fingerprint>() == 24);

unsafe extern "C" {
    fn stepwell_describe_parameters(
        tensors: *const *const C_tensor,
        count: usize,
        descriptors: *mut ParameterDescriptor,
        unchanged: *mut u8,
    ) -> i32;
    fn stepwell_devices(tensors: *const *const C_tensor, count: usize, first: *mut u8, several: *mut u8);
    fn stepwell_take_fingerprints(tensors: *const *const C_tensor, count: usize, out: *mut Fingerprint) -> bool;
    fn stepwell_bump_if_unchanged(
        tensors: *const *const C_tensor,
        count: usize,
        fingerprints: *const Fingerprint,
    ) -> bool;
    fn stepwell_bump(tensors: *const *const C_tensor, descriptors: *const ParameterDescriptor, count: usize) -> i32;
}

/// Updates the descriptors of parameters and their gradients, in order. Returns true if none has changed.
pub(crate) fn describe_parameters(
    parameters: &[TensorRef<'_>],
    descriptors: &mut Vec<ParameterDescriptor>,
) -> Result<bool> {
    reserve(descriptors, parameters.len())?;
    descriptors.resize(parameters.len(), ParameterDescriptor::NONE);
    let (tensors, count, mut unchanged) = (parameters.as_ptr().cast(), parameters.len(), 0);
    // SAFETY: live, defined tensors, and a descriptor for each.
    check(unsafe { stepwell_describe_parameters(tensors, count, descriptors.as_mut_ptr(), &mut unchanged) })?;
    Ok(unchanged != 0)
}

/// The devices of tensors in the order of their numbers, as in a descriptor; the CPU without tensors.
pub(crate) fn devices(tensors: &[TensorRef<'_>]) -> Result<Vec<u8>> {
    let (first, several) = first_device(tensors);
    let mut devices = Vec::new();
    push(&mut devices, first)?;
    if several {
        for tensor in tensors {
            let (device, _) = first_device(slice::from_ref(tensor));
            if let Err(place) = devices.binary_search(&device) {
                devices.insert(place, device);
            }
        }
    }
    Ok(devices)
}

/// The device of the first tensor, and true if another tensor is on another one.
fn first_device(tensors: &[TensorRef<'_>]) -> (u8, bool) {
    let (mut first, mut several) = (ON_CPU, 0);
    // SAFETY: live, defined tensors; the results are stored in live variables.
    unsafe { stepwell_devices(tensors.as_ptr().cast(), tensors.len(), &mut first, &mut several) };
    (first, several != 0)
}

/// Fingerprints of parameters; `None` if a parameter has no version counter. `reused` supplies the allocation.
pub(crate) fn take_fingerprints(
    parameters: &[TensorRef<'_>],
    mut reused: Vec<Fingerprint>,
) -> Option<Vec<Fingerprint>> {
    reused.clear();
    reserve(&mut reused, parameters.len()).ok()?;
    // SAFETY: live, defined tensors, and capacity for one fingerprint each. All are written if the shim returns true.
    unsafe {
        if !stepwell_take_fingerprints(parameters.as_ptr().cast(), parameters.len(), reused.as_mut_ptr()) {
            return None;
        }
        reused.set_len(parameters.len());
    }
    Some(reused)
}

/// If all fingerprints match, bumps the version of each parameter that has a gradient and returns true. Otherwise changes no
/// version and returns false.
///
/// # Safety
/// The parameters of the fingerprints live, and [`metadata_generation`](crate::shim::metadata_generation) has not changed since the fingerprints were taken.
pub(crate) unsafe fn bump_if_unchanged(parameters: &[TensorRef<'_>], fingerprints: &[Fingerprint]) -> bool {
    let count = parameters.len();
    // SAFETY: live, defined tensors, one fingerprint for each, and the promise of the caller.
    count == fingerprints.len()
        && unsafe { stepwell_bump_if_unchanged(parameters.as_ptr().cast(), count, fingerprints.as_ptr()) }
}

/// Bumps the versions of tensors, which tells autograd of a write: of all, or of those whose descriptor has a gradient.
pub(crate) fn bump(tensors: &[TensorRef<'_>], descriptors: Option<&[ParameterDescriptor]>) -> Result<()> {
    let count = descriptors.map_or(tensors.len(), |descriptors| tensors.len().min(descriptors.len()));
    let descriptors = descriptors.map_or(ptr::null(), <[ParameterDescriptor]>::as_ptr);
    // SAFETY: live, defined tensors, and null or one descriptor for each.
    check(unsafe { stepwell_bump(tensors.as_ptr().cast(), descriptors, count) })
}
