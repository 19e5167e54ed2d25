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
    let bytes = |key| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse::<usize>().ok()?.checked_mul(1024)
    };
    bytes("MemAvailable:")?.checked_add(bytes("SwapFree:").unwrap_or(0))
}

/// What is left in the fullest of the groups from this process's own up to the root (cgroup v2), or in the mounted one
/// (v1).
fn cgroup() -> Option<usize> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let groups = Path::new(group).ancestors().map(|up| Path::new("/sys/fs/cgroup").join(up));
    let v2 = groups.filter_map(|folder| left_in(&folder, "memory.max", "memory.current"));
    let v1 = left_in(Path::new("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes");
    v2.chain(v1).min()
}

/// What is left in a group. What it keeps of files counts as used there, and is given up when memory is wanted.
fn left_in(folder: &Path, limit: &str, used: &str) -> Option<usize> {
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let read = |file: &str| number(&fs::read_to_string(folder.join(file)).ok()?);
    let text = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let stat = |key: &str| text.lines().find_map(|line| number(line.strip_prefix(key)?)).unwrap_or(0);
    let files = stat("inactive_file ").saturating_add(stat("active_file "));
    Some(read(limit)?.saturating_sub(read(used)?.saturating_sub(files)))
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
        let left = || left_in(&folder, "memory.max", "memory.current");
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
