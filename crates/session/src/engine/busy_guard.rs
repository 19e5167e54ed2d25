//! The flag that an engine sets while a step uses views of its memory.

use std::cell::Cell;

/// Sets a flag for as long as it lives. A panic in the step clears the flag too.
#[derive(Debug)]
pub struct BusyGuard<'a>(&'a Cell<bool>);

impl<'a> BusyGuard<'a> {
    /// Sets `busy`, and clears it on drop.
    pub fn new(busy: &'a Cell<bool>) -> Self {
        busy.set(true);
        Self(busy)
    }
}

impl Drop for BusyGuard<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
