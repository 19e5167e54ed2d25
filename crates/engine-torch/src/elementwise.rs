//! Elementwise functions of tensors of one shape, in one call of the shim, with memory of freed tensors for their results.

use std::ffi::c_void;
use std::fmt;

use stepwell_session::{Binary, Unary};
use torch_sys::C_tensor;

use crate::shim;
use crate::tensor::Tensor;

unsafe extern "C" {
    safe fn stepwell_spare_tensors_new() -> *mut c_void;
    fn stepwell_spare_tensors_free(spare: *mut c_void);
    fn stepwell_spare_tensors_put(spare: *mut c_void, tensor: *mut C_tensor);
    fn stepwell_binary(
        spare: *mut c_void,
        function: u8,
        a: *const C_tensor,
        b: *const C_tensor,
        out: *mut C_tensor,
        bytes: *mut i64,
    ) -> bool;
    fn stepwell_unary(
        spare: *mut c_void,
        function: u8,
        x: *const C_tensor,
        out: *mut C_tensor,
        bytes: *mut i64,
    ) -> bool;
}

/// Number of undefined handles that are kept, of 64 bytes each with what the C library adds.
const MAX_HANDLES: usize = 1 << 10;

/// Tensors that were freed, for later results: their memory and metadata, and their handles.
#[derive(Default)]
pub struct SpareTensors {
    memory: Memory,
    /// Handles of tch, each undefined and the only reference to itself.
    handles: Vec<Tensor>,
}

/// The shim's `stepwell_spare_tensors`; null until it is first needed.
struct Memory(*mut c_void);

// SAFETY: it owns its tensors, which any thread may use and drop.
unsafe impl Send for Memory {}
// SAFETY: a shared reference gives no access.
unsafe impl Sync for Memory {}

impl Default for Memory {
    fn default() -> Self {
        Memory(std::ptr::null_mut())
    }
}

impl Memory {
    /// The pointer; `None` if there is no memory for it.
    fn pointer(&mut self) -> Option<*mut c_void> {
        if self.0.is_null() {
            self.0 = stepwell_spare_tensors_new();
        }
        (!self.0.is_null()).then_some(self.0)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: made by the shim, and used by this alone.
            unsafe { stepwell_spare_tensors_free(self.0) };
        }
    }
}

impl fmt::Debug for SpareTensors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpareTensors").field("handles", &self.handles.len()).finish_non_exhaustive()
    }
}

impl SpareTensors {
    /// A function of two tensors, and the bytes of its elements. `None` unless the tensors are of one shape and floating dtype on
    /// the CPU, and if the function fails.
    pub(crate) fn binary(&mut self, function: Binary, a: &Tensor, b: &Tensor) -> Option<(Tensor, usize)> {
        let (a, b) = (a.tensor_ref().pointer(), b.tensor_ref().pointer());
        // SAFETY: live, defined tensors, an undefined one, and a number to write to.
        self.apply(|spare, out, bytes| unsafe { stepwell_binary(spare, function as u8, a, b, out, bytes) })
    }

    /// As [`SpareTensors::binary`], of one tensor.
    pub(crate) fn unary(&mut self, function: Unary, x: &Tensor) -> Option<(Tensor, usize)> {
        let x = x.tensor_ref().pointer();
        // SAFETY: as above.
        self.apply(|spare, out, bytes| unsafe { stepwell_unary(spare, function as u8, x, out, bytes) })
    }

    fn apply(&mut self, call: impl FnOnce(*mut c_void, *mut C_tensor, &mut i64) -> bool) -> Option<(Tensor, usize)> {
        let spare = self.memory.pointer()?;
        let handle = self.handles.pop().or_else(Tensor::undefined)?;
        let mut bytes = 0;
        if call(spare, handle.tensor_ref().pointer().cast_mut(), &mut bytes) {
            return Some((handle, shim::size(bytes)));
        }
        self.handles.push(handle);
        None
    }

    /// Ends the life of a tensor. Unless another handle has it, keeps what a later result may use.
    pub(crate) fn take(&mut self, tensor: Tensor) {
        if !tensor.is_only_handle() || self.handles.len() >= MAX_HANDLES {
            return;
        }
        let Some(spare) = self.memory.pointer() else { return };
        // SAFETY: a live tensor, whose only handle this is.
        unsafe { stepwell_spare_tensors_put(spare, tensor.tensor_ref().pointer().cast_mut()) };
        self.handles.push(tensor);
    }
}
