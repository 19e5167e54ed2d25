//! Numbers that a device copies to pinned memory, so that the host waits for none that it does not need.

use std::sync::{Arc, Mutex};

use stepwell_optim::{DeviceRead, Result};

use crate::driver::api::NOT_READY;
use crate::driver::context::Context;
use crate::driver::lock::lock;
use crate::driver::pinned_buffer::PinnedBuffer;

/// Pinned numbers that no read holds.
type Unused = Arc<Mutex<Vec<PinnedBuffer>>>;

/// The pinned numbers of a device.
pub(crate) struct NumberReads {
    context: Arc<Context>,
    unused: Unused,
}

impl NumberReads {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context, unused: Unused::default() }
    }

    /// Starts to copy a number from an address on the device, in stream order.
    pub(crate) fn start(&self, from: u64) -> Result<Box<dyn DeviceRead>> {
        let unused = self.take_unused()?;
        let buffer = match unused {
            Some(buffer) => buffer,
            None => PinnedBuffer::new(Arc::clone(&self.context), size_of::<u64>())?,
        };
        let stream = self.context.stream();
        self.context.call("cannot copy a number to the host", |api| {
            // SAFETY: no unfinished copy writes to the buffer, which outlives the copy: see `NumberRead`. The caller gives
            // the address.
            unsafe {
                match (api.copy_to_host)(buffer.memory, from, size_of::<u64>(), stream) {
                    0 => (api.event_record)(buffer.event, stream),
                    status => status,
                }
            }
        })?;
        Ok(Box::new(NumberRead {
            context: Arc::clone(&self.context),
            buffer: Some(buffer),
            unused: self.unused.clone(),
        }))
    }

    /// A buffer whose copy is over. A read that was dropped may have left one whose copy is not.
    fn take_unused(&self) -> Result<Option<PinnedBuffer>> {
        let mut unused = lock(&self.unused);
        for index in 0..unused.len() {
            if is_over(&self.context, &unused[index])? {
                return Ok(Some(unused.swap_remove(index)));
            }
        }
        Ok(None)
    }
}

/// True if the last copy of a buffer is over.
fn is_over(context: &Context, buffer: &PinnedBuffer) -> Result<bool> {
    // SAFETY: an event of this context.
    let status = context.call_for_status(|api| unsafe { (api.event_query)(buffer.event) })?;
    if status == NOT_READY {
        return Ok(false);
    }
    context.api.check(&context.name, "cannot finish a copy", status).map(|()| true)
}

/// A number on its way. Its buffer goes back to the unused ones.
struct NumberRead {
    context: Arc<Context>,
    /// `None` in `drop` only.
    buffer: Option<PinnedBuffer>,
    unused: Unused,
}

impl DeviceRead for NumberRead {
    fn is_over(&self) -> Result<bool> {
        self.buffer.as_ref().map_or(Ok(true), |buffer| is_over(&self.context, buffer))
    }

    fn number(&self) -> Result<u64> {
        let Some(buffer) = &self.buffer else { return Ok(0) };
        // SAFETY: an event of this context.
        self.context.call("cannot finish a copy", |api| unsafe { (api.event_wait)(buffer.event) })?;
        // SAFETY: pinned memory of 8 bytes, aligned to pages, that the copy has written.
        Ok(unsafe { buffer.memory.cast::<u64>().read_volatile() })
    }
}

impl Drop for NumberRead {
    fn drop(&mut self) {
        let mut unused = lock(&self.unused);
        // Without memory for the list, the buffer is freed once its copy is over.
        if let (Some(buffer), Ok(())) = (self.buffer.take(), unused.try_reserve(1)) {
            unused.push(buffer);
        }
    }
}
