//! Compiled kernels in a folder, so that later processes need not compile.
//!
//! A file has a magic word, the key, the code and a checksum. A file has the whole key, which distinguishes keys of one hash.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use stepwell_optim::fallible::copied;

/// The first bytes of a file; the digit is the version of the format.
const MAGIC: &[u8; 16] = b"stepwellkernels1";
/// In bytes, larger than the kernels of any optimizer. A larger file is not read.
const MAX_BYTES: u64 = 64 << 20;

/// A folder of compiled kernels. It is a cache: a failure to read or write is as if the entry were absent.
#[derive(Debug)]
pub(crate) struct KernelCache {
    folder: Option<PathBuf>,
}

impl KernelCache {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The code of a key, unless the entry is absent or damaged.
    pub(crate) fn read(&self, key: &str) -> Option<Vec<u8>> {
        let path = self.path(key)?;
        if fs::metadata(&path).ok()?.len() > MAX_BYTES {
            return None;
        }
        let content = fs::read(path).ok()?;
        let (body, checksum) = content.split_last_chunk::<8>()?;
        let rest = body.strip_prefix(MAGIC)?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let (stored, code) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        if stored != key.as_bytes() || hash(0, body) != u64::from_le_bytes(*checksum) {
            return None;
        }
        copied(code).ok()
    }

    /// Stores the code of a key. Other processes see the whole file, or none.
    pub(crate) fn write(&self, key: &str, code: &[u8]) {
        let Some(path) = self.path(key) else { return };
        let Some(folder) = path.parent() else { return };
        if fs::create_dir_all(folder).is_err() {
            return;
        }
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_extension(format!("{}-{number}.tmp", process::id()));
        if write_file(&temporary, key, code).and_then(|()| fs::rename(&temporary, &path)).is_err() {
            let _ = fs::remove_file(&temporary);
        }
    }

    /// The file of a key.
    fn path(&self, key: &str) -> Option<PathBuf> {
        let name = format!("{:016x}{:016x}.kernels", hash(0, key.as_bytes()), hash(1, key.as_bytes()));
        Some(self.folder.as_ref()?.join(name))
    }
}

fn write_file(path: &Path, key: &str, code: &[u8]) -> std::io::Result<()> {
    let mut body = Vec::new();
    body.try_reserve_exact(MAGIC.len() + 16 + key.len() + code.len())?;
    body.extend_from_slice(MAGIC);
    body.extend_from_slice(&(key.len() as u64).to_le_bytes());
    body.extend_from_slice(key.as_bytes());
    body.extend_from_slice(code);
    let checksum = hash(0, &body);
    body.extend_from_slice(&checksum.to_le_bytes());
    File::options().write(true).create_new(true).open(path)?.write_all(&body)
}

/// FNV-1a, of a seed and bytes.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    bytes.iter().fold(BASIS ^ seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::{env, fs, process};

    use crate::driver::kernel_cache::KernelCache;

    /// A folder that is removed at the end of a test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            Self(env::temp_dir().join(format!("stepwell-{name}-{}", process::id())))
        }

        fn cache(&self) -> KernelCache {
            KernelCache::new(Some(self.0.join("kernels")))
        }

        fn files(&self) -> Vec<PathBuf> {
            let entries = fs::read_dir(self.0.join("kernels")).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn reads_what_was_written_for_the_key_only() {
        let folder = Folder::new("cache-keys");
        assert_eq!(folder.cache().read("a"), None);
        folder.cache().write("a", b"code of a");
        folder.cache().write("b", b"");
        assert_eq!(folder.cache().read("a").as_deref(), Some(&b"code of a"[..]));
        assert_eq!(folder.cache().read("b").as_deref(), Some(&b""[..]));
        assert_eq!(folder.cache().read("c"), None);
        assert_eq!(folder.files().len(), 2, "no temporary file stays");
    }

    #[test]
    fn a_damaged_entry_is_absent_until_it_is_written_anew() {
        let folder = Folder::new("cache-damage");
        folder.cache().write("key", b"the code");
        let path = folder.files().remove(0);
        let whole = fs::read(&path).unwrap_or_default();
        assert!(whole.len() > 32);
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert!(fs::write(&path, &damaged).is_ok());
            assert_eq!(folder.cache().read("key"), None, "byte {at} changed");
            assert!(fs::write(&path, &whole[..at]).is_ok());
            assert_eq!(folder.cache().read("key"), None, "cut at byte {at}");
        }
        folder.cache().write("key", b"the code");
        assert_eq!(folder.cache().read("key").as_deref(), Some(&b"the code"[..]));
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_not_an_error() {
        let folder = Folder::new("cache-file");
        assert!(fs::write(&folder.0, b"a file in place of the folder").is_ok());
        folder.cache().write("key", b"the code");
        assert_eq!(folder.cache().read("key"), None);
        assert!(fs::remove_file(&folder.0).is_ok());
        KernelCache::new(None).write("key", b"the code");
        assert_eq!(KernelCache::new(None).read("key"), None);
    }
}
