//! Safetensors files for the commands that read and write them, with their errors.

use std::path::Path;

use stepwell_checkpoint::{Bytes, Checkpoint, ReadAt, RegularFile};
use stepwell_optim::{Brief, Code, Error, Result};

use crate::commands::checkpoints::BYTES;

/// An open safetensors file, or bytes in its place, with a valid header.
pub(crate) type SavedFile = Checkpoint<Box<dyn ReadAt>>;

/// Opens a file and checks its header, which takes at most `limit` bytes.
pub(crate) fn open(path: &str, limit: usize) -> Result<SavedFile> {
    let file = RegularFile::open(Path::new(path)).map_err(|error| failed("read", path, &error))?;
    Checkpoint::open(Box::new(file), path, limit)
}

/// As [`open`], of the bytes of a file.
pub(crate) fn of_bytes(bytes: Vec<u8>, limit: usize) -> Result<SavedFile> {
    Checkpoint::open(Box::new(Bytes(bytes)), BYTES, limit)
}

pub(crate) fn failed(verb: &str, path: &str, error: &std::io::Error) -> Error {
    Error::new(Code::File, format!("cannot {verb} {}: {error}", Brief(path)))
}

pub(crate) fn too_large(path: &str, bytes: u64, limit: usize) -> Error {
    Error::new(Code::Memory, format!("{} needs {bytes} bytes, more than the limit of {limit}", Brief(path)))
}
