//! A file that the system starts to write to the disk while more is written to it, so that little is left for the sync.

use std::fs::File;
use std::io::{Result, Seek, SeekFrom, Write};

/// In bytes, 8 MiB: as much is handed to the disk at a time. Less makes more and smaller requests.
pub(crate) const WINDOW_BYTES: usize = 1 << 23;

/// A file that is written from its start.
pub(crate) struct WriteBehind<'a> {
    file: &'a mut File,
    /// Bytes that the disk has not begun to write.
    pending: usize,
    /// Bytes before these.
    started: u64,
}

impl<'a> WriteBehind<'a> {
    pub(crate) fn new(file: &'a mut File) -> Self {
        Self { file, pending: 0, started: 0 }
    }

    /// Lets the disk begin with what is pending.
    fn start(&mut self) {
        start_writing(self.file, self.started, self.pending as u64);
        self.started += self.pending as u64;
        self.pending = 0;
    }
}

/// Lets the disk begin to write bytes of a file from a place on, all that follow if `length` is 0. Only advice: the sync reports errors.
pub(crate) fn start_writing(file: &File, from: u64, length: u64) {
    #[cfg(target_os = "linux")]
    if let (Ok(from), Ok(length)) = (from.try_into(), length.try_into()) {
        // SAFETY: the file is open, and the call does not access memory of this process.
        unsafe {
            libc::sync_file_range(std::os::fd::AsRawFd::as_raw_fd(file), from, length, libc::SYNC_FILE_RANGE_WRITE)
        };
    }
    let _ = (file, from, length);
}

impl Write for WriteBehind<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let count = self.file.write(&bytes[..bytes.len().min(WINDOW_BYTES - self.pending)])?;
        self.pending += count;
        if self.pending == WINDOW_BYTES {
            self.start();
        }
        Ok(count)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.flush()
    }
}

impl Seek for WriteBehind<'_> {
    fn seek(&mut self, place: SeekFrom) -> Result<u64> {
        self.file.seek(place)
    }
}
