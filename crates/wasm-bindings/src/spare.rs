//! Memory that is kept for what is small and cannot fail.
//!
//! Where an allocation fails, a list that is asked for says so, and anything else traps. What cannot fail is small: it gets the
//! memory that is kept, and from then on no list is made before that much can be kept again.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What is kept: more than the small allocations of any call.
const SPARE: Layout = Layout::new::<[u8; 1 << 20]>();
/// Only as many bytes at once are taken of it.
const SMALL: usize = 1 << 16;

/// The memory that is kept, if it is.
static KEPT: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

/// Keeps memory, where it does not. Returns whether it does.
pub(crate) fn keep() -> bool {
    if KEPT.load(Ordering::Relaxed).is_null() {
        // SAFETY: the size is not 0.
        KEPT.store(unsafe { System.alloc(SPARE) }, Ordering::Relaxed);
    }
    !KEPT.load(Ordering::Relaxed).is_null()
}

/// True if so many bytes can be had in one piece: what is small gets of what is kept, and where is room for anything else is
/// tried.
pub(crate) fn has(bytes: usize) -> bool {
    if !keep() {
        return false;
    }
    let Ok(layout) = Layout::from_size_align(bytes, 1) else { return false };
    // SAFETY: the size is not 0, and what was allocated is freed.
    bytes <= SMALL
        || unsafe {
            let memory = System.alloc(layout);
            if !memory.is_null() {
                System.dealloc(memory, layout);
            }
            !memory.is_null()
        }
}

/// Gives up what is kept for so many bytes. Returns whether it is worth trying again.
#[cold]
fn give_up(bytes: usize) -> bool {
    if bytes > SMALL {
        return false;
    }
    let kept = KEPT.swap(ptr::null_mut(), Ordering::Relaxed);
    if !kept.is_null() {
        // SAFETY: allocated so, and nobody else has it.
        unsafe { System.dealloc(kept, SPARE) };
    }
    !kept.is_null()
}

/// The system's allocator, with what is kept behind it.
struct Sparing;

/// Tries again where something was given up.
fn sparing(bytes: usize, allocate: impl Fn() -> *mut u8) -> *mut u8 {
    let memory = allocate();
    if memory.is_null() && give_up(bytes) { allocate() } else { memory }
}

// SAFETY: everything is the system's.
unsafe impl GlobalAlloc for Sparing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        sparing(layout.size(), || unsafe { System.alloc(layout) })
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        sparing(layout.size(), || unsafe { System.alloc_zeroed(layout) })
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller promises; where it fails the memory is as it was.
        sparing(size, || unsafe { System.realloc(memory, layout, size) })
    }
}

#[global_allocator]
static ALLOCATOR: Sparing = Sparing;
