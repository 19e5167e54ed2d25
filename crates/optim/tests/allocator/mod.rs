//! An allocator that fails where a test says so: at a large allocation, of the thread that asked for it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Bytes from which on an allocation can fail: the size of what is smaller is nobody's choice.
pub(crate) const LARGE: usize = 4096;

thread_local! {
    /// How many large allocations more succeed before one fails.
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The system's allocator, but for the allocation that fails.
struct Failing;

/// True once, at the allocation that is to fail.
fn fails(bytes: usize) -> bool {
    if bytes < LARGE {
        return false;
    }
    // A thread that ends may still free and allocate.
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

// SAFETY: hands everything on to the system's allocator, or says that there is no memory.
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

/// Runs something whose large allocation of that number, counted from 0, fails. Returns whether there was one.
fn failing_at<R>(number: usize, run: impl FnOnce() -> R) -> (R, bool) {
    LEFT.set(Some(number));
    let result = run();
    (result, LEFT.take().is_none())
}

/// What a test does beside what it is about: no allocation of it fails.
#[allow(dead_code, reason = "not every program has such")]
pub(crate) fn undisturbed<R>(run: impl FnOnce() -> R) -> R {
    let left = LEFT.take();
    let result = run();
    LEFT.set(left);
    result
}

/// Runs something again and again: each time the next of its large allocations fails, until none is left to fail. Returns
/// what it then returns, and how many times it failed; `check` looks at each error, and at what is to be as it was.
///
/// Where something ends the process that should not, the last allocation that failed is the one that it cannot do without.
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
