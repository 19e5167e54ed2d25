//! Bytes at places: of a file, or in memory.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// Bytes that several threads read at once, each at its place.
pub trait ReadAt: Sync {
    /// The number of bytes.
    ///
    /// # Errors
    /// As the system reports them.
    fn length(&self) -> Result<u64>;

    /// Fills a buffer with the bytes from a place on.
    ///
    /// # Errors
    /// As the system reports them; [`ErrorKind::UnexpectedEof`] if there are fewer bytes.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> Result<()>;
}

impl<T: ReadAt + ?Sized> ReadAt for Box<T> {
    fn length(&self) -> Result<u64> {
        (**self).length()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        (**self).read_exact_at(buffer, offset)
    }
}

/// Bytes in memory.
pub struct Bytes<T>(pub T);

impl<T: AsRef<[u8]> + Sync> ReadAt for Bytes<T> {
    fn length(&self) -> Result<u64> {
        Ok(self.0.as_ref().len() as u64)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        let start = usize::try_from(offset).ok();
        let rest = start.and_then(|start| self.0.as_ref().get(start..)).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(rest.ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?);
        Ok(())
    }
}

/// An open file that is neither a folder nor a pipe nor a device.
pub struct RegularFile(File);

impl RegularFile {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// As the system reports them, and for another kind of file.
    pub fn open(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true);
        // Opening a pipe would block until a process writes to it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
        let file = options.open(path)?;
        if !file.metadata()?.is_file() {
            return Err(Error::other("it is not a regular file"));
        }
        // Twice the read-ahead. Only advice.
        #[cfg(target_os = "linux")]
        // SAFETY: the file is open, and the call does not access memory.
        unsafe {
            libc::posix_fadvise(std::os::fd::AsRawFd::as_raw_fd(&file), 0, 0, libc::POSIX_FADV_SEQUENTIAL)
        };
        Ok(Self(file))
    }
}

impl ReadAt for RegularFile {
    fn length(&self) -> Result<u64> {
        self.0.length()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

impl ReadAt for File {
    fn length(&self) -> Result<u64> {
        Ok(self.metadata()?.len())
    }

    #[cfg(unix)]
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buffer, offset)
    }

    #[cfg(windows)]
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> Result<()> {
        while !buffer.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(self, buffer, offset)? {
                0 => return Err(Error::from(ErrorKind::UnexpectedEof)),
                count => {
                    buffer = &mut buffer[count..];
                    offset += count as u64;
                }
            }
        }
        Ok(())
    }
}
