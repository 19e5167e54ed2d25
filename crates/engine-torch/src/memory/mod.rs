//! How much memory this process may still take.
//!
//! The machine, the cgroup and the limits of the process each leave some; the least counts. Of each a part is kept for what
//! nobody asks for: threads, the heap of JavaScript, which ends the process where it cannot grow, and small allocations.

mod limits;

use std::cell::Cell;
use std::fs;
use std::hint::black_box;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::memory::limits::{kilobytes, left};

/// A quarter of what is left, since the numbers of a new tensor exist up to three times while it is made.
pub(crate) fn limit() -> usize {
    left().saturating_add(held()) / 4
}

/// Bytes that may be taken before the system is asked again how much there is.
static UNASKED: AtomicI64 = AtomicI64::new(0);

/// True if so many bytes may be taken, which are then expected to be taken.
///
/// The kernel itself refuses too little: it hands out memory that it has not, and ends the process when it is used. And where
/// it does refuse, JavaScript is refused too.
pub(crate) fn take(bytes: usize) -> bool {
    if fails_now() {
        return false;
    }
    let wanted = i64::try_from(bytes).unwrap_or(i64::MAX);
    // An eighth of what is left is unasked at most, so that what others take meanwhile is seen in time.
    if UNASKED.fetch_sub(wanted, Ordering::Relaxed) >= wanted {
        return true;
    }
    let left = left();
    let granted = bytes <= left;
    let rest = if granted { (left - bytes) / 8 } else { 0 };
    UNASKED.store(i64::try_from(rest).unwrap_or(i64::MAX), Ordering::Relaxed);
    granted || is_held(bytes)
}

/// What allocator.cpp asks.
// SAFETY: no other symbol of this program begins as ours do.
#[unsafe(no_mangle)]
extern "C" fn stepwell_memory_take(bytes: usize) -> bool {
    take(bytes)
}

/// True if so many bytes fit where others were freed: the C library keeps much of that, and takes no more addresses then.
fn is_held(bytes: usize) -> bool {
    #[cfg(target_os = "linux")]
    {
        // What is allocated lies on a line, or, if it is large, on a page.
        let apart = if bytes < 4096 { 128 } else { 4096 };
        let used = || kilobytes(&fs::read_to_string("/proc/self/status").unwrap_or_default(), "VmSize:");
        let before = used();
        // SAFETY: memory that nobody uses.
        let after = unsafe {
            // A compiler may leave out memory that nobody uses.
            let memory = black_box(libc::malloc(bytes.saturating_add(apart)));
            let after = if memory.is_null() { None } else { used() };
            libc::free(memory);
            after
        };
        let is_held = before.is_some() && after == before;
        if !is_held {
            // Else what was tried would be held from now on, and each try would take more.
            give_back_held();
        }
        is_held
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// Bytes that were freed and that the C library keeps, at least.
fn held() -> usize {
    // The newer `mallinfo2` is not in every library that Node.js runs with. Of this one's numbers 32 bits are right.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it only counts.
    return unsafe { libc::mallinfo() }.fordblks as u32 as usize;
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    0
}

/// Has the C library give addresses back that it keeps at the end of what it has.
#[cfg(target_os = "linux")]
fn give_back_held() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it touches nothing that anybody uses.
    unsafe {
        libc::malloc_trim(0);
    }
}

thread_local! {
    /// See [`fail_after`].
    static FAILS_AFTER: Cell<Option<usize>> = const { Cell::new(None) };
}

/// For tests: refuses, once, the memory that this thread asks for after so many times; `None` refuses nothing. What has less
/// than 256 KiB is not asked for each time. Returns how many times were left, if it was not refused.
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
    use crate::memory::limit;

    #[test]
    fn is_plausible() {
        let limit = limit();
        assert!(limit > 1 << 20);
        assert!(!cfg!(target_os = "linux") || limit < 1 << 50, "{limit}");
    }
}
