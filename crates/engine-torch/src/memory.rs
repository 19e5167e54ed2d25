//! How much memory this process may take.

use std::fs;
use std::path::Path;

/// Half of the physical memory or of the cgroup's limit, whichever is smaller; no limit where neither is known.
pub(crate) fn half_of_available() -> usize {
    physical().into_iter().chain(cgroup()).min().map_or(usize::MAX, |bytes| bytes / 2)
}

fn physical() -> Option<usize> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let kibibytes: usize = text.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The smallest limit from this process's group up to the root (cgroup v2), or of the mounted group (v1).
fn cgroup() -> Option<usize> {
    let limit = |file: &Path| fs::read_to_string(file).ok()?.trim().parse().ok();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let v2 =
        Path::new(group).ancestors().filter_map(|up| limit(&Path::new("/sys/fs/cgroup").join(up).join("memory.max")));
    let v1 = limit(Path::new("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    v2.chain(v1).min()
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_plausible() {
        let half = super::half_of_available();
        assert!(half > 1 << 20);
        assert!(!cfg!(target_os = "linux") || half < 1 << 50, "{half}");
    }
}
