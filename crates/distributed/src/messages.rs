//! Messages between two processes of a group.

use std::ffi::c_char;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use stepwell_optim::{Code, Error, Result};
use tch::{Device, Kind, Tensor};
use torch_sys::C_tensor;

use crate::backend::{Backend, refused};
use crate::message_waits::Sentinel;
use crate::shim::{
    Group, RawWork, checked, stepwell_group_receive, stepwell_group_send, stepwell_message_free,
    stepwell_message_interrupt, stepwell_message_wait,
};
use crate::waiting_threads::Waiting;

/// In errors.
const NAME: &str = "an exchange of tensors";
/// No process sends with this tag.
const NEVER: u32 = i32::MAX as u32 - 1;

/// A message on its way. c10d has its tensor, and a dropped message is waited for.
#[must_use = "a message has come only after `wait`"]
pub struct Message<'a> {
    work: Option<NonNull<RawWork>>,
    group: &'a Backend,
}

// SAFETY: any thread may wait for a message.
unsafe impl Send for Message<'_> {}

/// Messages have tensors of the CPU. They have no order, so several threads may start them: what a process sends fills what the other one receives with
/// the same tag. Both have the same number of bytes.
impl Backend {
    /// Starts to send the elements of a tensor to another process.
    ///
    /// # Errors
    /// [`Code::Distributed`] if a process has ended. Then all messages fail, on all processes.
    pub fn send(&self, tensor: &Tensor, to: usize, tag: u32) -> Result<Message<'_>> {
        self.message(tensor, |group, tensors, work, message| {
            // SAFETY: a live group and tensor.
            unsafe { stepwell_group_send(group, tensors[0], to as i32, tag as i32, work, message) }
        })
    }

    /// Starts to fill a tensor with the elements that another process sends.
    ///
    /// # Errors
    /// As of [`send`](Self::send).
    pub fn receive(&self, tensor: &Tensor, from: usize, tag: u32) -> Result<Message<'_>> {
        self.message(tensor, |group, tensors, work, message| {
            // SAFETY: a live group and tensor.
            unsafe { stepwell_group_receive(group, tensors[0], from as i32, tag as i32, work, message) }
        })
    }

    fn message(
        &self,
        tensor: &Tensor,
        start: impl FnOnce(*mut Group, &[*mut C_tensor], *mut *mut RawWork, *mut c_char) -> i32,
    ) -> Result<Message<'_>> {
        let work = self.ended(self.start(NAME, vec![self.prepared(tensor)?], start))?;
        Ok(Message { work: work.into_raw(), group: self })
    }

    /// The other processes, beginning with the next one. So not all processes send to the same one first.
    pub fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let (rank, size) = (self.rank(), self.size());
        (1..size).map(move |distance| (rank + distance) % size)
    }

    /// Fails if another process has ended.
    fn check_others(&self) -> Result<()> {
        let sentinels = match self.waits.sentinels.get() {
            Some(sentinels) => sentinels,
            None => {
                let own = self.others().map(|other| self.sentinel(other)).collect::<Result<Vec<_>>>()?;
                self.waits.sentinels.get_or_init(|| Mutex::new(own))
            }
        };
        for Sentinel(work) in sentinels.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            // SAFETY: a live message, whose wait returns at once.
            unsafe {
                stepwell_message_interrupt(work.as_ptr());
                self.wait_once(*work)?;
            }
        }
        Ok(())
    }

    fn sentinel(&self, other: usize) -> Result<Sentinel> {
        let tensor = Tensor::f_empty([1], (Kind::Uint8, Device::Cpu)).map_err(refused)?;
        let mut message = self.receive(&tensor, other, NEVER)?;
        let work = message.work.take().ok_or_else(|| Error::new(Code::Internal, "no message was made"))?;
        Ok(Sentinel(work))
    }

    /// Waits for a message, unless another one has failed.
    fn wait_for(&self, work: NonNull<RawWork>) -> Result<()> {
        let started = Instant::now();
        // SAFETY: the caller frees the message after this call.
        let _interrupted = unsafe { self.waits.interrupter.interrupt(work) };
        loop {
            if let Some(first) = self.failure.get() {
                return Err(first.clone());
            }
            // SAFETY: a live message.
            if unsafe { self.wait_once(work)? } {
                return Ok(());
            }
            self.check_others()?;
            if started.elapsed() > self.timeout {
                return Err(self.failed("timed out"));
            }
        }
    }

    /// Waits until a message has come, which is true, or until the wait is interrupted.
    ///
    /// # Safety
    /// The message is live.
    unsafe fn wait_once(&self, work: NonNull<RawWork>) -> Result<bool> {
        let mut has_ended = false;
        checked(
            |text| self.failed(text),
            |message| {
                // SAFETY: as the caller promises.
                unsafe { stepwell_message_wait(work.as_ptr(), &mut has_ended, message) }
            },
        )?;
        Ok(has_ended)
    }
}

impl Message<'_> {
    /// Waits until it has come, or has been sent.
    ///
    /// # Errors
    /// [`Code::Distributed`] if another process has ended or does not answer. The tensor may then have any elements.
    pub fn wait(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let _waiting = Waiting::begin();
        let ended = self.group.ended(self.group.wait_for(work));
        // SAFETY: the message is this one's, and nothing waits for it any more.
        unsafe { stepwell_message_free(work.as_ptr()) };
        ended
    }
}

impl Drop for Message<'_> {
    fn drop(&mut self) {
        // Its memory is used until then. The caller has an earlier error.
        let _ = self.end();
    }
}
