//! What the machine, the cgroup and the limits of the process leave of memory.

use std::fs;
use std::path::Path;

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
pub(crate) fn left() -> usize {
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
pub(crate) fn kilobytes(text: &str, key: &str) -> Option<usize> {
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
    use std::fs;

    use crate::memory::limits::left_in;

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
