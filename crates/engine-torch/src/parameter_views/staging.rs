//! Copies of parameters and gradients in host memory, made by staging.cpp.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use stepwell_optim::{Code, Error, Result};
use torch_sys::C_tensor;

use crate::shim::{TensorRef, check};

/// Addresses of the copies of a parameter and its gradient. Has the layout of `stepwell_staged_addresses`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct StagedAddresses {
    pub(crate) parameter: *mut c_void,
    pub(crate) gradient: *const c_void,
}

impl StagedAddresses {
    /// The addresses of a parameter that takes no part.
    pub(crate) const NONE: Self = Self { parameter: ptr::null_mut(), gradient: ptr::null() };
}

const _: () = assert!(size_of::<StagedAddresses>() == 2 * size_of::<usize>());

/// `stepwell_staging` of staging.cpp.
#[repr(C)]
struct FfiStaging {
    opaque: [u8; 0],
}

unsafe extern "C" {
    safe fn stepwell_staging_new() -> *mut FfiStaging;
    fn stepwell_staging_free(staging: *mut FfiStaging);
    fn stepwell_staging_gather(
        staging: *mut FfiStaging,
        tensors: *const *const C_tensor,
        is_member: *const u8,
        count: usize,
        out: *mut StagedAddresses,
    ) -> i32;
    fn stepwell_staging_scatter(staging: *mut FfiStaging, tensors: *const *const C_tensor) -> i32;
    fn stepwell_zero_gradients(tensors: *const *const C_tensor, count: usize) -> i32;
}

/// Buffers for the copies, kept from step to step.
pub(crate) struct Staging(NonNull<FfiStaging>);

// SAFETY: the buffers have one owner, and no thread of their own.
unsafe impl Send for Staging {}
// SAFETY: a shared reference has no function.
unsafe impl Sync for Staging {}

impl Staging {
    pub(crate) fn new() -> Result<Self> {
        NonNull::new(stepwell_staging_new()).map(Self).ok_or_else(|| Error::new(Code::Memory, "out of memory"))
    }

    /// Copies the parameters whose `is_member` is 1, and their gradients, to host memory. The addresses are valid until the
    /// next call.
    ///
    /// A member is dense, contiguous and of floating point, and has a dense gradient of equal shape and dtype.
    pub(crate) fn gather(
        &mut self,
        tensors: &[TensorRef<'_>],
        is_member: &[u8],
        out: &mut [StagedAddresses],
    ) -> Result<()> {
        if is_member.len() != tensors.len() || out.len() != tensors.len() {
            return Err(Error::new(Code::Internal, "lists of different lengths"));
        }
        let tensors = (tensors.as_ptr().cast(), tensors.len());
        // SAFETY: live, defined tensors, with one element of each list for each.
        check(unsafe {
            stepwell_staging_gather(self.0.as_ptr(), tensors.0, is_member.as_ptr(), tensors.1, out.as_mut_ptr())
        })
    }

    /// Copies the parameters back. `tensors` is the list of the last call of [`Staging::gather`], which has succeeded.
    pub(crate) fn scatter(&mut self, tensors: &[TensorRef<'_>]) -> Result<()> {
        // SAFETY: live, defined tensors, as many as the gather had.
        check(unsafe { stepwell_staging_scatter(self.0.as_ptr(), tensors.as_ptr().cast()) })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // SAFETY: made by `stepwell_staging_new`, and freed once.
        unsafe { stepwell_staging_free(self.0.as_ptr()) }
    }
}

/// Sets all gradients of the tensors to 0.
pub(crate) fn zero_gradients(tensors: &[TensorRef<'_>]) -> Result<()> {
    // SAFETY: live, defined tensors.
    check(unsafe { stepwell_zero_gradients(tensors.as_ptr().cast(), tensors.len()) })
}
