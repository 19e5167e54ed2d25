//! How much memory this process may still take.

use std::fs;
use std::path::Path;

/// A quarter of what is left, since the numbers of a new tensor exist up to three times while it is made.
pub(crate) fn limit() -> usize {
    left() / 4
}

/// What is free now, on the machine or in the cgroup, whichever is smaller; no limit where neither is known.
///
/// The kernel itself refuses nothing: it hands out memory that it has not, and ends the process when it is used.
fn left() -> usize {
    machine().into_iter().chain(cgroup()).min().unwrap_or(usize::MAX)
}

/// What allocator.cpp asks.
// SAFETY: no other symbol of this program begins as ours do.
#[unsafe(no_mangle)]
extern "C" fn stepwell_memory_left() -> usize {
    left()
}

fn machine() -> Option<usize> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<usize>().ok()?.checked_mul(1024)
}

/// What is left in the fullest of the groups from this process's own up to the root (cgroup v2), or in the mounted one
/// (v1).
fn cgroup() -> Option<usize> {
    let read = |file: &Path| fs::read_to_string(file).ok()?.trim().parse::<usize>().ok();
    let left = |folder: &Path, limit: &str, used: &str| {
        Some(read(&folder.join(limit))?.saturating_sub(read(&folder.join(used))?))
    };
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let groups = Path::new(group).ancestors().map(|up| Path::new("/sys/fs/cgroup").join(up));
    let v2 = groups.filter_map(|folder| left(&folder, "memory.max", "memory.current"));
    let v1 = left(Path::new("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes");
    v2.chain(v1).min()
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_plausible() {
        let limit = super::limit();
        assert!(limit > 1 << 20);
        assert!(!cfg!(target_os = "linux") || limit < 1 << 50, "{limit}");
    }
}
