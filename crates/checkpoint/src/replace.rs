//! A file that is replaced at once or not at all, also in a crash.
//!
//! It is written as a scratch file in the same folder, under an unpredictable name, synced, and renamed; then the
//! folder is synced. A process that is killed leaves its scratch file. A live process holds a lock on it. The next save
//! in that folder removes scratch files without a lock.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Beginning and end of the name of a scratch file; between them are 32 hexadecimal digits.
const PREFIX: &str = ".stepwell-";
const SUFFIX: &str = ".tmp";
/// The 32 digits of the name of a scratch file.
pub(crate) type Token = [u64; 2];
/// How often another name is tried.
const MAX_TRIES: usize = 16;
/// A search for old scratch files reads at most this many entries of a folder.
const MAX_ENTRIES: usize = 1 << 16;

/// Replaces the file at `path`, or the one that a link there points at, by what `write` writes. After an error the file is as before,
/// unless the message says that it has the new content.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let mut replacement = Replacement::begin(path)?;
    write(&mut replacement.scratch.file)?;
    replacement.commit()
}

/// A scratch file that takes the place of another one. Unless it is committed, it is removed.
pub(crate) struct Replacement {
    target: PathBuf,
    folder: PathBuf,
    before: Option<Metadata>,
    scratch: Scratch,
}

impl Replacement {
    /// Makes an empty scratch file for the file at `path`, or the one that a link there points at.
    pub(crate) fn begin(path: &Path) -> Result<Self> {
        let target = target(path)?;
        let before = match fs::symlink_metadata(&target) {
            Ok(metadata) if metadata.is_file() => Some(metadata),
            Ok(_) => return Err(Error::other("it is not a regular file")),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let folder = folder_of(&target);
        // The standard library panics if the system does not close a folder. The file is saved without the search, too.
        let _ = std::panic::catch_unwind(|| sweep(&folder));
        let scratch = Scratch::new(&folder, before.as_ref())?;
        Ok(Self { target, folder, before, scratch })
    }

    /// The scratch file.
    pub(crate) fn file(&self) -> &File {
        &self.scratch.file
    }

    /// By this another process opens the scratch file.
    pub(crate) fn token(&self) -> Token {
        self.scratch.token
    }

    /// Puts the scratch file in the place of the file. After an error the file is as before, unless the message says that it has the
    /// new content.
    pub(crate) fn commit(mut self) -> Result<()> {
        if let Some(before) = &self.before {
            keep_owner_and_mode(&self.scratch.file, before)?;
        }
        self.scratch.file.sync_all()?;
        fs::rename(&self.scratch.path, &self.target)?;
        self.scratch.renamed = true;
        // Without the sync of the folder a power cut can lose the rename. Windows cannot open a folder, and does not need
        // it.
        if cfg!(unix) {
            File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(|error| in_place(&error))
        } else {
            Ok(())
        }
    }
}

/// Opens the scratch file that another process has made for the file at `path`. A name of 128 random bits is there only if both
/// processes see one folder.
pub(crate) fn open_scratch(path: &Path, token: Token) -> Result<File> {
    let file = for_writing().open(folder_of(&target(path)?).join(scratch_name(token)))?;
    if !file.metadata()?.is_file() {
        return Err(Error::other("it is not a regular file"));
    }
    Ok(file)
}

/// The error of a folder that is not synced after the rename.
fn in_place(error: &Error) -> Error {
    let problem = "it has the new content, but a power cut can bring back the old one, since its folder is not synced";
    Error::new(error.kind(), format!("{problem}: {error}"))
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The file to replace. Links are followed, also if the target does not exist.
fn target(path: &Path) -> Result<PathBuf> {
    /// As many as Linux follows.
    const MAX_LINKS: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        let link = match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => metadata,
            _ => return if path.file_name().is_some() { Ok(path) } else { Err(Error::other("it names no file")) },
        };
        let folder = folder_of(&path);
        if !is_trusted(&link, &fs::metadata(&folder)?) {
            return Err(Error::new(ErrorKind::PermissionDenied, "it is a link that another user put there"));
        }
        path = folder.join(fs::read_link(&path)?);
    }
    Err(Error::other(format!("it is a chain of more than {MAX_LINKS} links")))
}

/// Whether a link may be followed. In a folder that every user can write to, its owner must be this user or the
/// folder's owner. The system has the same rule for its own following of links, `fs.protected_symlinks`.
#[cfg(unix)]
fn is_trusted(link: &Metadata, folder: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    const STICKY_AND_WRITABLE: u32 = 0o1002;
    let everybodys = folder.mode() & STICKY_AND_WRITABLE == STICKY_AND_WRITABLE;
    // SAFETY: it takes nothing and always succeeds.
    let user = unsafe { libc::geteuid() };
    !everybodys || link.uid() == user || link.uid() == folder.uid()
}

#[cfg(not(unix))]
fn is_trusted(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// A file that is removed unless it was renamed.
struct Scratch {
    token: Token,
    path: PathBuf,
    file: File,
    renamed: bool,
}

impl Scratch {
    /// Creates a new scratch file and locks it. If it replaces a file, only the owner can read it, as that file may be
    /// private.
    fn new(folder: &Path, before: Option<&Metadata>) -> Result<Self> {
        let mut options = OpenOptions::new();
        // `create_new` does not follow links.
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        if before.is_some() {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        let _ = before;
        let random = RandomState::new();
        for _ in 0..MAX_TRIES {
            let token = [number(&random), number(&random)];
            let path = folder.join(scratch_name(token));
            let file = match options.open(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                opened => opened?,
            };
            // A sweep may have found it before it was locked; not every file system has locks, and then nothing is swept.
            let locked = !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
            // Unless it is used, it is removed.
            let scratch = Self { token, path, file, renamed: false };
            if locked && is_at(&scratch.file, &scratch.path) {
                return Ok(scratch);
            }
        }
        Err(Error::other(format!("no name was free for a scratch file in {MAX_TRIES} tries")))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// An unpredictable number: the system gave the key of the hash.
fn number(random: &RandomState) -> u64 {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    random.hash_one(NUMBERS.fetch_add(1, Ordering::Relaxed))
}

/// Removes scratch files that no process writes any more. Files that cannot be opened or removed stay.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.take(MAX_ENTRIES).flatten() {
        let is_scratch = entry.file_name().to_str().is_some_and(is_scratch_name);
        if !is_scratch || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        // Some file systems do not lock files that are open for reading only.
        let Ok(file) = for_writing().read(true).open(&path) else { continue };
        if file.try_lock().is_ok() && is_at(&file, &path) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// How a file is opened that another process has made.
fn for_writing() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

fn scratch_name([first, second]: Token) -> String {
    format!("{PREFIX}{first:016x}{second:016x}{SUFFIX}")
}

fn is_scratch_name(name: &str) -> bool {
    let digits = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    digits.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether an open file is still the one of that name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => open.is_file() && (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Copies the mode of a file, and its owner and group if the system permits it.
#[cfg(unix)]
fn keep_owner_and_mode(file: &File, before: &Metadata) -> Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (before.uid(), before.gid()) {
        // Only the administrator gives files away; a group that is one's own can be kept.
        if fchown(file, Some(before.uid()), Some(before.gid())).is_err() {
            let _ = fchown(file, None, Some(before.gid()));
        }
    }
    file.set_permissions(fs::Permissions::from_mode(before.mode() & 0o777))
}

#[cfg(not(unix))]
fn keep_owner_and_mode(file: &File, before: &Metadata) -> Result<()> {
    file.set_permissions(before.permissions())
}
