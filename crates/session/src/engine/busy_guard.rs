//! The flag of a thread that an engine sets while a step uses views of its memory.

use std::cell::Cell;

thread_local! {
    /// Of a thread and not of an engine: objects that move between threads hold no flag of where they were made.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// Sets the flag of its thread for as long as it lives. A panic in the step clears the flag too.
#[derive(Debug)]
pub struct BusyGuard(());

impl BusyGuard {
    /// Sets the flag, and clears it on drop.
    #[expect(clippy::new_without_default, reason = "a guard with an effect")]
    pub fn new() -> Self {
        BUSY.set(true);
        Self(())
    }

    /// True while a guard of this thread lives.
    pub fn is_held() -> bool {
        BUSY.get()
    }
}

impl Drop for BusyGuard {
    fn drop(&mut self) {
        BUSY.set(false);
    }
}
