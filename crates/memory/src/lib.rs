//! Permission to allocate: whether the machine, the cgroup and the process limits leave enough memory.
//!
//! The kernel overcommits: it grants more memory than there is and kills the process when the memory is used. So Stepwell asks
//! here before each large allocation, and returns an error instead. A reserve is kept for allocations that do not ask: threads,
//! small allocations, and V8, which aborts the process if its heap cannot grow.

mod limits;

use std::cell::Cell;
use std::fs;
use std::hint::black_box;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::limits::{available, kilobytes};

/// The size of the largest tensor that may be made now, in bytes. It is a quarter of the available bytes, since up to three
/// copies of the elements exist while a tensor is made.
///
/// Freed bytes that the C library keeps count only if `wanted` is more than the rest allows. To count them, the C library
/// visits every free block, which takes 100 ms after 100,000 small tensors.
pub fn tensor_limit(wanted: usize) -> usize {
    let available = available();
    let limit = available / 4;
    if wanted <= limit { limit } else { available.saturating_add(malloc_free_bytes()) / 4 }
}

/// Bytes that may still be allocated before the limits are read again.
static PREAPPROVED: AtomicI64 = AtomicI64::new(0);

/// True if `bytes` may be allocated; the caller then allocates them.
///
/// Reading the limits opens several files of /proc, so each reading also approves an eighth of the available bytes
/// for later calls. A larger share would miss what other processes allocate in between.
pub fn may_allocate(bytes: usize) -> bool {
    if fails_now() {
        return false;
    }
    let wanted = i64::try_from(bytes).unwrap_or(i64::MAX);
    if PREAPPROVED.fetch_sub(wanted, Ordering::Relaxed) >= wanted {
        return true;
    }
    let available = available();
    let approved = bytes <= available;
    let rest = if approved { (available - bytes) / 8 } else { 0 };
    PREAPPROVED.store(i64::try_from(rest).unwrap_or(i64::MAX), Ordering::Relaxed);
    approved || fits_in_free_heap(bytes)
}

/// True if malloc can serve `bytes` from memory that was freed, without new address space. The C library keeps freed memory
/// rather than returning it to the system.
fn fits_in_free_heap(bytes: usize) -> bool {
    #[cfg(target_os = "linux")]
    {
        // Alignment of the caller's allocation: a cache line pair, or a page if it is large.
        let alignment = if bytes < 4096 { 128 } else { 4096 };
        let address_space = || kilobytes(&fs::read_to_string("/proc/self/status").unwrap_or_default(), "VmSize:");
        let before = address_space();
        // SAFETY: the block is freed unused.
        let after = unsafe {
            // A compiler may remove an allocation without uses; `black_box` is one.
            let memory = black_box(libc::malloc(bytes.saturating_add(alignment)));
            let after = if memory.is_null() { None } else { address_space() };
            libc::free(memory);
            after
        };
        let fits = before.is_some() && after == before;
        if !fits {
            // Otherwise malloc keeps the freed block, and each failed attempt would take more.
            trim_heap();
        }
        fits
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// Freed bytes that the C library keeps: a lower bound, 0 where unknown.
fn malloc_free_bytes() -> usize {
    // `mallinfo2` needs glibc 2.33, newer than some that Node.js supports. `mallinfo` gives the low 32 bits.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: a function that only reads counters.
    return unsafe { libc::mallinfo() }.fordblks as u32 as usize;
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    0
}

/// Returns free memory at the end of the heap to the system.
#[cfg(target_os = "linux")]
fn trim_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it releases free memory only.
    unsafe {
        libc::malloc_trim(0);
    }
}

thread_local! {
    /// See [`fail_after`].
    static FAILS_AFTER: Cell<Option<usize>> = const { Cell::new(None) };
}

/// For tests: of the next permissions that this thread asks for, `times` are granted as usual and the one after them is
/// refused, once. `None` refuses none. Returns how many grants were left; `None` after the refusal.
///
/// Tensors of libtorch below 256 KiB share permissions: see `kBatch` in allocator.cpp of crates/engine-torch.
#[doc(hidden)]
pub fn fail_after(times: Option<usize>) -> Option<usize> {
    FAILS_AFTER.replace(times)
}

fn fails_now() -> bool {
    let after = FAILS_AFTER.get();
    if let Some(left) = after {
        FAILS_AFTER.set(left.checked_sub(1));
    }
    after == Some(0)
}

#[cfg(test)]
mod tests {
    use crate::tensor_limit;

    #[test]
    fn is_plausible() {
        let limit = tensor_limit(usize::MAX);
        assert!(limit > 1 << 20);
        assert!(!cfg!(target_os = "linux") || limit < 1 << 50, "{limit}");
    }
}
