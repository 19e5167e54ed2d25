//! Safetensors files for the commands that read and write them, with their errors.

use std::path::Path;

use stepwell_checkpoint::{Bytes, Checkpoint, ReadAt, RegularFile};
use stepwell_optim::{Brief, Code, Error, Result};

use crate::values::value::Value;

/// An open safetensors file, or bytes in its place, with a valid header.
pub(crate) type SavedFile = Checkpoint<Box<dyn ReadAt>>;

/// Opens a file and checks its header, which takes at most `limit` bytes.
pub(crate) fn open(path: &str, limit: usize) -> Result<SavedFile> {
    let file = RegularFile::open(Path::new(path)).map_err(|error| failed("read", path, &error))?;
    Checkpoint::open(Box::new(file), path, limit)
}

/// As [`open`], of the bytes of a file.
pub(crate) fn of_bytes(bytes: Vec<u8>, limit: usize) -> Result<SavedFile> {
    Checkpoint::open(Box::new(Bytes(bytes)), "the given Uint8Array", limit)
}

pub(crate) fn failed(verb: &str, path: &str, error: &std::io::Error) -> Error {
    Error::new(Code::File, format!("cannot {verb} {}: {error}", Brief(path)))
}

pub(crate) fn too_large(path: &str, bytes: u64, limit: usize) -> Error {
    Error::new(Code::Memory, format!("{} needs {bytes} bytes, more than the limit of {limit}", Brief(path)))
}

/// The entries of a dictionary in a description; none if it is absent.
pub(crate) fn entries_of(content: Value, key: &str) -> Result<Vec<(String, Value)>> {
    let Value::Object(entries) = content else { return Err(malformed("a dictionary")) };
    match entries.into_iter().find(|(name, _)| name == key) {
        None => Ok(Vec::new()),
        Some((_, Value::Object(entries))) => Ok(entries),
        Some(_) => Err(malformed(&format!("a dictionary of {key}"))),
    }
}

pub(crate) fn malformed(expected: &str) -> Error {
    Error::new(Code::Format, format!("expected {expected} in the description of the file"))
}
