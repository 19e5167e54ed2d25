//! An allocator that counts the allocations of each thread, and has one failing allocation: a large one, of the thread that asked
//! for it.

#![allow(clippy::panic, reason = "a test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// In bytes. Smaller allocations do not fail, since no caller chooses their size.
pub(crate) const LARGE: usize = 4096;

thread_local! {
    /// The number of large allocations that succeed before one fails.
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// The number of allocations that this thread has asked for.
#[allow(dead_code, reason = "not every program counts")]
pub(crate) fn allocations() -> usize {
    ALLOCATIONS.get()
}

/// The system's allocator, except for the failing allocation.
struct Failing;

/// Counts an allocation. True once, for the failing one.
fn fails(bytes: usize) -> bool {
    // A thread may allocate and free after its thread-local values are gone.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
    if bytes < LARGE {
        return false;
    }
    LEFT.try_with(|left| match left.get() {
        None => false,
        Some(0) => {
            left.set(None);
            true
        }
        Some(more) => {
            left.set(Some(more - 1));
            false
        }
    })
    .unwrap_or(false)
}

// SAFETY: delegates to the system's allocator, or returns null.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        if fails(layout.size()) { std::ptr::null_mut() } else { unsafe { System.alloc(layout) } }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller promises.
        if fails(size) { std::ptr::null_mut() } else { unsafe { System.realloc(memory, layout, size) } }
    }
}

#[global_allocator]
static ALLOCATOR: Failing = Failing;

/// Runs a function whose large allocation with this number, from 0, fails. Also returns whether there was one.
fn failing_at<R>(number: usize, run: impl FnOnce() -> R) -> (R, bool) {
    LEFT.set(Some(number));
    let result = run();
    (result, LEFT.take().is_none())
}

/// Runs a function without failing allocations.
#[allow(dead_code, reason = "not every program has such")]
pub(crate) fn undisturbed<R>(run: impl FnOnce() -> R) -> R {
    let left = LEFT.take();
    let result = run();
    LEFT.set(left);
    result
}

/// Runs a function repeatedly: each time the next large allocation fails, until none does. Returns its result and the
/// number of failures. `check` gets each error, and checks that nothing has changed.
///
/// If the process ends, it could not handle the last allocation that failed.
pub(crate) fn until_enough<W, R, E: std::fmt::Debug>(
    world: &mut W,
    mut run: impl FnMut(&mut W) -> Result<R, E>,
    mut check: impl FnMut(&mut W, E, usize),
) -> (R, usize) {
    let mut number = 0;
    loop {
        match failing_at(number, || run(world)) {
            (Ok(result), false) => return (result, number),
            (Ok(_), true) => panic!("allocation {number} failed, and nobody said so"),
            (Err(error), true) => check(world, error, number),
            (Err(error), false) => panic!("{error:?}, and no allocation failed"),
        }
        number += 1;
    }
}
