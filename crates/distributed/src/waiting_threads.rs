//! The threads that wait for another process. Such a wait cannot be interrupted: Gloo has no function for it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

static WAITING: Mutex<Vec<ThreadId>> = Mutex::new(Vec::new());

fn waiting() -> MutexGuard<'static, Vec<ThreadId>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The threads that now wait for another process, in no order.
pub fn waiting_threads() -> Vec<ThreadId> {
    waiting().clone()
}

/// While it lives, its thread is one of [`waiting_threads`].
pub struct Waiting(ThreadId);

impl Waiting {
    /// The thread of the caller waits from now on.
    #[must_use = "the thread waits while it lives"]
    pub fn begin() -> Self {
        let thread = thread::current().id();
        waiting().push(thread);
        Self(thread)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waiting = waiting();
        if let Some(position) = waiting.iter().position(|thread| *thread == self.0) {
            waiting.swap_remove(position);
        }
    }
}
