//! Pinned memory of the host for copies that wait for nothing.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use stepwell_optim::Result;

use crate::driver::api::Object;
use crate::driver::context::Context;

/// Pinned memory of the host, and an event that is over once the copies that use it are.
pub(crate) struct PinnedBuffer {
    context: Arc<Context>,
    pub(crate) memory: *mut c_void,
    pub(crate) event: Object,
}

// SAFETY: memory of the host and an event, which any thread may use in their context. Each call makes the context current.
unsafe impl Send for PinnedBuffer {}
// SAFETY: as above. A shared buffer is only read.
unsafe impl Sync for PinnedBuffer {}

impl PinnedBuffer {
    pub(crate) fn new(context: Arc<Context>, bytes: usize) -> Result<Self> {
        let event = context.event()?;
        let mut memory = ptr::null_mut();
        let allocated = context.call("cannot pin memory of the host", |api| {
            // SAFETY: the result is stored in a live variable; no flags.
            unsafe { (api.host_allocate)(&mut memory, bytes, 0) }
        });
        if let Err(error) = allocated {
            context.destroy_event(event);
            return Err(error);
        }
        Ok(Self { context, memory, event })
    }
}

impl Drop for PinnedBuffer {
    fn drop(&mut self) {
        let Self { context, memory, event } = self;
        // SAFETY: allocated by `new`. The driver waits for copies that use it. A failure is of no consequence.
        let _ = context.call_for_status(|api| unsafe { (api.host_free)(*memory) });
        context.destroy_event(*event);
    }
}
