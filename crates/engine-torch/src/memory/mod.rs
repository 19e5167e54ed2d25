//! How much memory this process may still take.
//!
//! The machine, the cgroup and the limits of the process each leave some; the least counts. Of each a part is kept for what
//! nobody asks for: threads, the heap of JavaScript, which ends the process where it cannot grow, and small allocations.

use std::cell::Cell;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

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

/// Something that limits memory.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Space {
    left: usize,
    /// What is kept of it.
    kept: usize,
}

impl Space {
    /// Of memory: what is kept is for others.
    fn memory(total: usize, left: usize) -> Self {
        Self { left, kept: (total / 32).min(64 << 20) }
    }

    /// Of addresses, of which a thread takes many, and the heap of JavaScript some at a time.
    fn addresses(total: usize, used: usize) -> Self {
        Self { left: total.saturating_sub(used), kept: (total / 16).min(256 << 20) }
    }
}

/// What may be taken now; no limit where none is known.
fn left() -> usize {
    spaces().map(|space| space.left.saturating_sub(space.kept)).min().unwrap_or(usize::MAX)
}

fn spaces() -> impl Iterator<Item = Space> {
    machine().into_iter().chain(cgroup()).chain(process())
}

/// The limits of the process itself: RLIMIT_AS and RLIMIT_DATA, which a shell sets by `ulimit -v` and `ulimit -d`.
fn process() -> impl Iterator<Item = Space> {
    #[cfg(target_os = "linux")]
    {
        let limits = [(libc::RLIMIT_AS, "VmSize:"), (libc::RLIMIT_DATA, "VmData:")];
        limits.into_iter().filter_map(|(resource, key)| {
            let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
            // SAFETY: a struct that the call fills.
            let known = unsafe { libc::getrlimit(resource, &mut limit) } == 0;
            if !known || limit.rlim_cur == libc::RLIM_INFINITY {
                return None;
            }
            // What is used cannot be told where the file cannot be read: then nothing is left.
            let used = kilobytes(&fs::read_to_string("/proc/self/status").unwrap_or_default(), key);
            Some(Space::addresses(usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX), used.unwrap_or(usize::MAX)))
        })
    }
    #[cfg(not(target_os = "linux"))]
    std::iter::empty()
}

/// The bytes of a line such as `VmSize:  123 kB`.
fn kilobytes(text: &str, key: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse::<usize>().ok()?.checked_mul(1024)
}

fn machine() -> Option<Space> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let bytes = |key| kilobytes(&text, key);
    let left = bytes("MemAvailable:")?.checked_add(bytes("SwapFree:").unwrap_or(0))?;
    Some(Space::memory(bytes("MemTotal:").unwrap_or(left), left))
}

/// What is left in the fullest of the groups from this process's own up to the root (cgroup v2), or in the mounted one
/// (v1).
fn cgroup() -> Option<Space> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let groups = Path::new(group).ancestors().map(|up| Path::new("/sys/fs/cgroup").join(up));
    let v2 = groups.filter_map(|folder| left_in(&folder, "memory.max", "memory.current"));
    let v1 = left_in(Path::new("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes");
    v2.chain(v1).min_by_key(|space| space.left)
}

/// What is left in a group. What it keeps of files counts as used there, and is given up when memory is wanted.
fn left_in(folder: &Path, limit: &str, used: &str) -> Option<Space> {
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let read = |file: &str| number(&fs::read_to_string(folder.join(file)).ok()?);
    let text = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let stat = |key: &str| text.lines().find_map(|line| number(line.strip_prefix(key)?)).unwrap_or(0);
    let files = stat("inactive_file ").saturating_add(stat("active_file "));
    let total = read(limit)?;
    Some(Space::memory(total, total.saturating_sub(read(used)?.saturating_sub(files))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_plausible() {
        let limit = limit();
        assert!(limit > 1 << 20);
        assert!(!cfg!(target_os = "linux") || limit < 1 << 50, "{limit}");
    }

    #[test]
    fn what_a_group_keeps_of_files_is_left() {
        let folder = std::env::temp_dir().join(format!("stepwell-group-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let left = || left_in(&folder, "memory.max", "memory.current").map(|space| space.left);
        let write = |file, text| fs::write(folder.join(file), text).unwrap();
        assert_eq!(left(), None);
        write("memory.max", "max\n");
        write("memory.current", "900\n");
        assert_eq!(left(), None);
        write("memory.max", "1000\n");
        assert_eq!(left(), Some(100));
        write("memory.stat", "anon 200\nfile 720\nshmem 20\ninactive_file 400\nactive_file 300\n");
        assert_eq!(left(), Some(800));
        fs::remove_dir_all(folder).unwrap();
    }
}
