//! The primary context of a device, which libtorch uses too, and the stream of a step.

use std::ffi::{c_int, c_uint, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use stepwell_optim::{Code, Error, Result};

use crate::driver::api::{DriverApi, Object};

/// `CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR` and `_MINOR` of `cuda.h`.
const CAPABILITY: [c_int; 2] = [75, 76];
/// `CU_EVENT_DISABLE_TIMING` of `cuda.h`.
const WITHOUT_TIMING: c_uint = 2;

/// A device with its primary context and the stream on which work runs.
pub(crate) struct Context {
    pub(crate) api: &'static DriverApi,
    /// The name in the k-api.
    pub(crate) name: String,
    device: c_int,
    context: Object,
    stream: AtomicPtr<c_void>,
}

// SAFETY: the primary context of a device, which any thread may make current, as each call does.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    /// Retains the primary context of the device with that number.
    pub(crate) fn new(ordinal: usize) -> Result<Self> {
        let api = DriverApi::get()?;
        let name = format!("cuda:{ordinal}");
        let number = c_int::try_from(ordinal)
            .map_err(|_| Error::new(Code::Device, format!("expected a device of this machine, given {name}")))?;
        let (mut device, mut context) = (0, ptr::null_mut());
        // SAFETY: the driver is initialized; the results are stored in live variables.
        api.check(&name, "does not exist", unsafe { (api.device_get)(&mut device, number) })?;
        // SAFETY: as above, of a device that exists.
        api.check(&name, "has no context", unsafe { (api.primary_retain)(&mut context, device) })?;
        Ok(Self { api, name, device, context, stream: AtomicPtr::new(ptr::null_mut()) })
    }

    /// The compute capability times ten: 90 for 9.0.
    pub(crate) fn capability(&self) -> Result<u32> {
        let mut numbers = [0; 2];
        for (number, attribute) in numbers.iter_mut().zip(CAPABILITY) {
            // SAFETY: the result is stored in a live variable.
            let status = unsafe { (self.api.device_attribute)(number, attribute, self.device) };
            self.api.check(&self.name, "does not tell its compute capability", status)?;
        }
        Ok((numbers[0] * 10 + numbers[1]).unsigned_abs())
    }

    pub(crate) fn stream(&self) -> Object {
        self.stream.load(Ordering::Relaxed)
    }

    /// Moves the work to come to another stream, after all earlier work.
    pub(crate) fn set_stream(&self, stream: Object) -> Result<()> {
        let before = self.stream.load(Ordering::Relaxed);
        if before == stream {
            return Ok(());
        }
        let event = self.event()?;
        let moved = self.call("cannot order its streams", |api| {
            // SAFETY: live streams and a live event. The driver keeps the event until the wait is over.
            unsafe {
                match (api.event_record)(event, before) {
                    0 => (api.stream_wait_event)(stream, event, 0),
                    status => status,
                }
            }
        });
        self.destroy_event(event);
        self.stream.store(stream, Ordering::Relaxed);
        moved
    }

    /// Calls the driver within the context. The thread's context is the earlier one afterwards.
    pub(crate) fn call(&self, action: &str, f: impl FnOnce(&DriverApi) -> c_int) -> Result<()> {
        let status = self.call_for_status(f)?;
        self.api.check(&self.name, action, status)
    }

    /// As [`Context::call`], but the caller reads the status of `f`.
    pub(crate) fn call_for_status(&self, f: impl FnOnce(&DriverApi) -> c_int) -> Result<c_int> {
        // SAFETY: a context that is retained.
        self.api.check(&self.name, "cannot be used", unsafe { (self.api.context_push)(self.context) })?;
        let status = f(self.api);
        let mut popped = ptr::null_mut();
        // SAFETY: pops the context that was pushed above.
        self.api.check(&self.name, "cannot be left", unsafe { (self.api.context_pop)(&mut popped) })?;
        Ok(status)
    }

    /// A new event.
    pub(crate) fn event(&self) -> Result<Object> {
        let mut event = ptr::null_mut();
        // SAFETY: the result is stored in a live variable.
        self.call("cannot make an event", |api| unsafe { (api.event_create)(&mut event, WITHOUT_TIMING) })?;
        Ok(event)
    }

    /// Destroys an event. A failure is of no consequence: the process ends, or the context is lost.
    pub(crate) fn destroy_event(&self, event: Object) {
        // SAFETY: an event of this context, which the caller does not use again.
        let _ = self.call_for_status(|api| unsafe { (api.event_destroy)(event) });
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: retained once by `new`. A failure is of no consequence.
        unsafe { (self.api.primary_release)(self.device) };
    }
}
