//! Memory of a CUDA device from libtorch's caching allocator, which frees unused blocks before it fails.

use stepwell_optim::{DeviceMemory, Result};
use tch::Kind;

use crate::error::from_tch;
use crate::shim::{self, TensorRef};
use crate::tensor::size;

/// Allocates bytes for work on libtorch's current stream.
pub(crate) fn allocate(ordinal: usize, bytes: usize) -> Result<Box<dyn DeviceMemory>> {
    let options = (Kind::Uint8, tch::Device::Cuda(ordinal));
    let tensor = tch::Tensor::f_empty([size(bytes)?], options).map_err(from_tch)?;
    let address = if bytes == 0 { 0 } else { shim::data(TensorRef::from(&tensor))? as u64 };
    let stream = shim::current_stream(ordinal)?;
    Ok(Box::new(TensorMemory { tensor, address, bytes, ordinal, stream }))
}

/// A tensor of bytes.
struct TensorMemory {
    tensor: tch::Tensor,
    address: u64,
    bytes: usize,
    ordinal: usize,
    /// The stream that the allocator has given the memory to. Work on it needs no order.
    stream: u64,
}

// SAFETY: a tensor of libtorch, which any thread may drop. Its elements are reached through the device alone.
unsafe impl Send for TensorMemory {}
// SAFETY: as above.
unsafe impl Sync for TensorMemory {}

impl DeviceMemory for TensorMemory {
    fn address(&self) -> u64 {
        self.address
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for TensorMemory {
    fn drop(&mut self) {
        // Work of another stream may still use the memory: the allocator reuses it only after that work. A failure means that
        // the device is lost.
        if shim::current_stream(self.ordinal).is_ok_and(|stream| stream != self.stream) {
            let _ = shim::record_stream(TensorRef::from(&self.tensor));
        }
    }
}
