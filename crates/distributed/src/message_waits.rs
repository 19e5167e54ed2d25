//! The common part of all waits for messages of a group. A thread interrupts them again and again, so that they look whether all processes are there.

use std::ptr::NonNull;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Builder};
use std::time::Duration;

use crate::shim::{RawWork, stepwell_message_free, stepwell_message_interrupt};

/// Between two interruptions.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(crate) struct MessageWaits {
    pub(crate) interrupter: Interrupter,
    /// A message from each other process that never comes. It fails if its process ends.
    pub(crate) sentinels: OnceLock<Mutex<Vec<Sentinel>>>,
}

/// c10d has its tensor.
pub(crate) struct Sentinel(pub(crate) NonNull<RawWork>);

// SAFETY: any thread may use a message.
unsafe impl Send for Sentinel {}

impl Drop for Sentinel {
    fn drop(&mut self) {
        // SAFETY: the message is this one's.
        unsafe { stepwell_message_free(self.0.as_ptr()) };
    }
}

/// The thread ends when this is dropped.
#[derive(Default)]
pub(crate) struct Interrupter {
    shared: Arc<Shared>,
    start: OnceLock<()>,
}

#[derive(Default)]
struct Shared {
    waits: Mutex<Waits>,
    changed: Condvar,
}

#[derive(Default)]
struct Waits {
    works: Vec<Waited>,
    has_ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Waited(NonNull<RawWork>);

// SAFETY: any thread may interrupt a wait.
unsafe impl Send for Waited {}

/// A wait that is interrupted while this lives.
pub(crate) struct Interrupted<'a> {
    shared: &'a Shared,
    work: Waited,
}

impl Shared {
    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Interrupter {
    /// # Safety
    /// The message lives as long as the result.
    pub(crate) unsafe fn interrupt(&self, work: NonNull<RawWork>) -> Interrupted<'_> {
        self.start.get_or_init(|| {
            let shared = Arc::clone(&self.shared);
            // Without it a wait ends at its time limit.
            let _ = Builder::new().name("stepwell-waits".to_owned()).spawn(move || run(&shared));
        });
        let work = Waited(work);
        self.shared.waits().works.push(work);
        self.shared.changed.notify_one();
        Interrupted { shared: &self.shared, work }
    }
}

impl Drop for Interrupted<'_> {
    fn drop(&mut self) {
        let mut waits = self.shared.waits();
        if let Some(position) = waits.works.iter().position(|work| *work == self.work) {
            waits.works.swap_remove(position);
        }
    }
}

impl Drop for Interrupter {
    fn drop(&mut self) {
        self.shared.waits().has_ended = true;
        self.shared.changed.notify_one();
    }
}

fn run(shared: &Shared) {
    loop {
        let idle = |waits: &mut Waits| waits.works.is_empty() && !waits.has_ended;
        let waits = shared.changed.wait_while(shared.waits(), idle).unwrap_or_else(PoisonError::into_inner);
        if waits.has_ended {
            return;
        }
        drop(waits);
        // A message that is quick is not interrupted.
        thread::sleep(PAUSE);
        for Waited(work) in &shared.waits().works {
            // SAFETY: it is live, since it leaves the list before it is freed.
            unsafe { stepwell_message_interrupt(work.as_ptr()) };
        }
    }
}
