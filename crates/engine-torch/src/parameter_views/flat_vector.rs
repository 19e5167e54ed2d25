//! Parameters or gradients as one vector on their device, copied by flat_vector.cpp.

use std::ffi::c_void;
use std::ptr;

use stepwell_optim::Result;
use stepwell_optim::fallible::collected;
use torch_sys::C_tensor;

use crate::shim::{self, TensorRef, check};
use crate::tensor::{Tensor, size};

unsafe extern "C" {
    fn stepwell_copy_pieces(
        tensors: *const *const C_tensor,
        places: *const i64,
        count: usize,
        vector: *mut c_void,
        gathers: u8,
    ) -> i32;
}

/// See [`Engine::gather`](stepwell_session::Engine::gather).
pub(crate) fn gather(pieces: &[(usize, Tensor)], to: u64) -> Result<()> {
    copy(pieces, to, true)
}

/// See [`Engine::scatter`](stepwell_session::Engine::scatter).
pub(crate) fn scatter(from: u64, pieces: &[(usize, Tensor)]) -> Result<()> {
    shim::elements_written();
    copy(pieces, from, false)
}

fn copy(pieces: &[(usize, Tensor)], vector: u64, gathers: bool) -> Result<()> {
    let tensors: Vec<TensorRef<'_>> = collected(pieces.iter().map(|(_, tensor)| tensor.tensor_ref()))?;
    let places: Vec<i64> = pieces.iter().map(|(place, _)| size(*place)).collect::<Result<_>>()?;
    let vector = ptr::with_exposed_provenance_mut(vector as usize);
    // SAFETY: live, defined tensors, with one place each. The caller gives the address of a vector that contains the places.
    check(unsafe {
        stepwell_copy_pieces(tensors.as_ptr().cast(), places.as_ptr(), tensors.len(), vector, u8::from(gathers))
    })
}
