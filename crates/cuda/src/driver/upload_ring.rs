//! Copies to a device through pinned memory, so that they wait for no earlier work.

use std::collections::VecDeque;
use std::ptr;
use std::sync::Arc;

use stepwell_optim::{Code, Error, Result};

use crate::driver::api::NOT_READY;
use crate::driver::context::Context;
use crate::driver::pinned_buffer::PinnedBuffer;

/// In bytes. A step uploads a few kilobytes, so that a buffer holds many steps.
const BUFFER_BYTES: usize = 1 << 18;
/// In buffers, 8 MiB in all. If all are in use, a copy waits for the oldest. Only a copy of whole states does.
const MAX_BUFFERS: usize = 32;

/// Pinned buffers in the order of their use. The last one is being filled.
pub(crate) struct UploadRing {
    context: Arc<Context>,
    buffers: VecDeque<PinnedBuffer>,
    /// In bytes: the filled part of the last buffer.
    filled: usize,
}

impl UploadRing {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context, buffers: VecDeque::new(), filled: BUFFER_BYTES }
    }

    /// Copies bytes to an address on the device, in stream order.
    pub(crate) fn upload(&mut self, to: u64, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        let mut to = to;
        while !rest.is_empty() {
            if self.filled == BUFFER_BYTES {
                self.next_buffer()?;
            }
            let Some(buffer) = self.buffers.back() else { return Ok(()) };
            let (piece, after) = rest.split_at(rest.len().min(BUFFER_BYTES - self.filled));
            // SAFETY: `filled` is within the buffer, and no unfinished copy reads from this address on.
            let from = unsafe { buffer.memory.cast::<u8>().add(self.filled) };
            // SAFETY: `piece` is not longer than the rest of the buffer, and does not overlap it.
            unsafe { ptr::copy_nonoverlapping(piece.as_ptr(), from, piece.len()) };
            let stream = self.context.stream();
            self.context.call("cannot copy to the device", |api| {
                // SAFETY: the buffer is not written to until its event is over. The caller gives the address.
                unsafe { (api.copy_to_device)(to, from.cast(), piece.len(), stream) }
            })?;
            // Multiples of 16 bytes, at which copies are fastest.
            self.filled = (self.filled + piece.len()).next_multiple_of(16).min(BUFFER_BYTES);
            to += piece.len() as u64;
            rest = after;
        }
        Ok(())
    }

    /// Ends the buffer in use. Must be called before the stream changes, since an event belongs to one stream.
    pub(crate) fn close_buffer(&mut self) -> Result<()> {
        if self.filled < BUFFER_BYTES {
            self.mark_last()?;
            self.filled = BUFFER_BYTES;
        }
        Ok(())
    }

    /// Records the event of the last buffer, which is over once its copies are.
    fn mark_last(&self) -> Result<()> {
        let Some(last) = self.buffers.back() else { return Ok(()) };
        let stream = self.context.stream();
        // SAFETY: an event and a stream of this context.
        self.context.call("cannot mark a copy", |api| unsafe { (api.event_record)(last.event, stream) })
    }

    /// Makes an unused buffer the last one: the oldest if its copies are over, else a new one.
    fn next_buffer(&mut self) -> Result<()> {
        if !self.buffers.is_empty() {
            self.mark_last()?;
        }
        if let Some(oldest) = self.buffers.front() {
            let event = oldest.event;
            // SAFETY: an event of this context.
            let status = self.context.call_for_status(|api| unsafe { (api.event_query)(event) })?;
            if status == NOT_READY && self.buffers.len() < MAX_BUFFERS {
                return self.push_new_buffer();
            }
            if status == NOT_READY {
                // SAFETY: as above.
                self.context.call("cannot finish a copy", |api| unsafe { (api.event_wait)(event) })?;
            } else {
                self.context.api.check(&self.context.name, "cannot finish a copy", status)?;
            }
            self.buffers.rotate_left(1);
            self.filled = 0;
            return Ok(());
        }
        self.push_new_buffer()
    }

    fn push_new_buffer(&mut self) -> Result<()> {
        let buffer = PinnedBuffer::new(Arc::clone(&self.context), BUFFER_BYTES)?;
        self.buffers.try_reserve(1).map_err(|error| Error::new(Code::Memory, format!("out of memory: {error}")))?;
        self.buffers.push_back(buffer);
        self.filled = 0;
        Ok(())
    }
}
