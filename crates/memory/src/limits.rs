//! Memory that the machine, the cgroup and the limits of the process leave.

use std::fs;
use std::path::Path;

/// Bytes that one limit leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Headroom {
    available: usize,
    /// The part of `available` that Stepwell does not use.
    reserve: usize,
}

impl Headroom {
    /// Of physical memory. The reserve is for other processes: a 32nd of the total, at most 64 MiB.
    fn of_memory(total: usize, available: usize) -> Self {
        Self { available, reserve: (total / 32).min(64 << 20) }
    }

    /// Of address space. The reserve is for thread stacks and the heap of V8: a 16th of the total, at most 256 MiB.
    fn of_addresses(total: usize, used: usize) -> Self {
        Self { available: total.saturating_sub(used), reserve: (total / 16).min(256 << 20) }
    }
}

/// Bytes that may be allocated now: the least headroom of all limits; `usize::MAX` if no limit is known.
pub(crate) fn available() -> usize {
    headrooms().map(|headroom| headroom.available.saturating_sub(headroom.reserve)).min().unwrap_or(usize::MAX)
}

fn headrooms() -> impl Iterator<Item = Headroom> {
    machine().into_iter().chain(cgroup()).chain(process())
}

/// The limits of the process: RLIMIT_AS and RLIMIT_DATA, which a shell sets with `ulimit -v` and `ulimit -d`.
fn process() -> impl Iterator<Item = Headroom> {
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
            // If the file cannot be read, the used bytes are unknown and count as everything.
            let used = kilobytes(&fs::read_to_string("/proc/self/status").unwrap_or_default(), key);
            Some(Headroom::of_addresses(
                usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX),
                used.unwrap_or(usize::MAX),
            ))
        })
    }
    #[cfg(not(target_os = "linux"))]
    std::iter::empty()
}

/// The value, in bytes, of a line such as `VmSize:  123 kB`.
pub(crate) fn kilobytes(text: &str, key: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse::<usize>().ok()?.checked_mul(1024)
}

/// The memory of the machine, with swap.
fn machine() -> Option<Headroom> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let bytes = |key| kilobytes(&text, key);
    let available = bytes("MemAvailable:")?.checked_add(bytes("SwapFree:").unwrap_or(0))?;
    Some(Headroom::of_memory(bytes("MemTotal:").unwrap_or(available), available))
}

/// The least headroom among the cgroup of this process and its ancestors (cgroup v2), or of the mounted one (v1).
fn cgroup() -> Option<Headroom> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let groups = Path::new(group).ancestors().map(|up| Path::new("/sys/fs/cgroup").join(up));
    let v2 = groups.filter_map(|folder| group_headroom(&folder, "memory.max", "memory.current"));
    let v1 = group_headroom(Path::new("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes");
    v2.chain(v1).min_by_key(|headroom| headroom.available)
}

/// The headroom of a cgroup. Cached files count as used there, but the kernel drops them when memory is needed.
fn group_headroom(folder: &Path, limit: &str, used: &str) -> Option<Headroom> {
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let read = |file: &str| number(&fs::read_to_string(folder.join(file)).ok()?);
    let statistics = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let stat = |key: &str| statistics.lines().find_map(|line| number(line.strip_prefix(key)?)).unwrap_or(0);
    let files = stat("inactive_file ").saturating_add(stat("active_file "));
    let total = read(limit)?;
    Some(Headroom::of_memory(total, total.saturating_sub(read(used)?.saturating_sub(files))))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::limits::group_headroom;

    #[test]
    fn cached_files_of_a_group_are_available() {
        let folder = std::env::temp_dir().join(format!("stepwell-group-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let available = || group_headroom(&folder, "memory.max", "memory.current").map(|headroom| headroom.available);
        let write = |file, text| fs::write(folder.join(file), text).unwrap();
        assert_eq!(available(), None);
        write("memory.max", "max\n");
        write("memory.current", "900\n");
        assert_eq!(available(), None);
        write("memory.max", "1000\n");
        assert_eq!(available(), Some(100));
        write("memory.stat", "anon 200\nfile 720\nshmem 20\ninactive_file 400\nactive_file 300\n");
        assert_eq!(available(), Some(800));
        fs::remove_dir_all(folder).unwrap();
    }
}
