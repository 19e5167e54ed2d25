//! Messages between two processes of a group.

use std::ffi::c_char;

use stepwell_optim::Result;
use tch::Tensor;
use torch_sys::C_tensor;

use crate::backend::{Backend, Work};
use crate::shim::{Group, RawWork, stepwell_group_receive, stepwell_group_send};

/// In errors.
const NAME: &str = "an exchange of tensors";

/// Messages have tensors of the CPU. They have no order, so several threads may start them: what a process sends fills what the other one receives with
/// the same tag. Both have the same number of bytes.
impl Backend {
    /// Starts to send the elements of a tensor to another process.
    ///
    /// # Errors
    /// [`Code::Distributed`](stepwell_optim::Code::Distributed) if a process has ended. Then all messages fail, on all processes.
    pub fn send(&self, tensor: &Tensor, to: usize, tag: u32) -> Result<Work<'_>> {
        self.message(tensor, |group, tensors, work, message| {
            // SAFETY: a live group and tensor.
            unsafe { stepwell_group_send(group, tensors[0], to as i32, tag as i32, work, message) }
        })
    }

    /// Starts to fill a tensor with the elements that another process sends.
    ///
    /// # Errors
    /// As of [`send`](Self::send).
    pub fn receive(&self, tensor: &Tensor, from: usize, tag: u32) -> Result<Work<'_>> {
        self.message(tensor, |group, tensors, work, message| {
            // SAFETY: a live group and tensor.
            unsafe { stepwell_group_receive(group, tensors[0], from as i32, tag as i32, work, message) }
        })
    }

    fn message(
        &self,
        tensor: &Tensor,
        start: impl FnOnce(*mut Group, &[*mut C_tensor], *mut *mut RawWork, *mut c_char) -> i32,
    ) -> Result<Work<'_>> {
        self.ended(self.start(NAME, vec![self.prepared(tensor)?], start))
    }

    /// The other processes, beginning with the next one. So not all processes send to the same one first.
    pub fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let (rank, size) = (self.rank(), self.size());
        (1..size).map(move |distance| (rank + distance) % size)
    }
}
