//! A block of memory that is kept free for small allocations that cannot fail.
//!
//! In WebAssembly a failed allocation traps, unless the code asks with a fallible function. Code of the standard library and of
//! wasm-bindgen does not ask, but allocates little. If such an allocation fails, the allocator frees the reserve and tries again.
//! After that every fallible allocation fails until the reserve can be allocated anew.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The size of the reserve, 1 MiB: more than the small allocations of a call.
const RESERVE_LAYOUT: Layout = Layout::new::<[u8; 1 << 20]>();
/// In bytes, 64 KiB. A larger allocation does not free the reserve.
const MAX_SMALL: usize = 1 << 16;

/// The reserve; null while it is freed.
static RESERVE: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

/// Allocates the reserve if it is freed. Returns false if there is not enough memory.
pub(crate) fn refill() -> bool {
    if RESERVE.load(Ordering::Relaxed).is_null() {
        // SAFETY: the size is not 0.
        RESERVE.store(unsafe { System.alloc(RESERVE_LAYOUT) }, Ordering::Relaxed);
    }
    !RESERVE.load(Ordering::Relaxed).is_null()
}

/// True if `bytes` bytes can be allocated in one piece, and the reserve is allocated. Small sizes are not tried: the reserve covers
/// them.
pub(crate) fn can_allocate(bytes: usize) -> bool {
    if !refill() {
        return false;
    }
    let Ok(layout) = Layout::from_size_align(bytes, 1) else { return false };
    // SAFETY: the size is not 0, and the block is freed with the layout of its allocation.
    bytes <= MAX_SMALL
        || unsafe {
            let memory = System.alloc(layout);
            if !memory.is_null() {
                System.dealloc(memory, layout);
            }
            !memory.is_null()
        }
}

/// Frees the reserve if an allocation of `bytes` is small. Returns true if it was freed, so that a second attempt may succeed.
#[cold]
fn release_for(bytes: usize) -> bool {
    if bytes > MAX_SMALL {
        return false;
    }
    let reserve = RESERVE.swap(ptr::null_mut(), Ordering::Relaxed);
    if !reserve.is_null() {
        // SAFETY: allocated with this layout, and `swap` has taken the only pointer.
        unsafe { System.dealloc(reserve, RESERVE_LAYOUT) };
    }
    !reserve.is_null()
}

/// The system's allocator, which frees the reserve if a small allocation fails.
struct ReservingAllocator;

/// Allocates; tries a second time if the reserve could be freed.
fn with_retry(bytes: usize, allocate: impl Fn() -> *mut u8) -> *mut u8 {
    let memory = allocate();
    if memory.is_null() && release_for(bytes) { allocate() } else { memory }
}

// SAFETY: every block comes from the system's allocator and returns to it.
unsafe impl GlobalAlloc for ReservingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        with_retry(layout.size(), || unsafe { System.alloc(layout) })
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        with_retry(layout.size(), || unsafe { System.alloc_zeroed(layout) })
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise. A failed call leaves the block as it was, for the second attempt.
        with_retry(size, || unsafe { System.realloc(memory, layout, size) })
    }
}

#[global_allocator]
static ALLOCATOR: ReservingAllocator = ReservingAllocator;
