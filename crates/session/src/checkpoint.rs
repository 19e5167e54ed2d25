//! Tensors in a file: safetensors, written so that a crash leaves the old file or the new one.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{SafeTensors, serialize};
use stepwell_optim::{Code, Error, Result};

use crate::{Array, Data};

/// Writes tensors by name: a sibling file first, synced, then renamed over `path`, then the folder synced.
pub(crate) fn write(path: &Path, entries: &[(String, Array)]) -> Result<()> {
    let bytes: Vec<Vec<u8>> = entries.iter().map(|(_, array)| little_endian(&array.data)).collect();
    let views = entries
        .iter()
        .zip(&bytes)
        .map(|((name, array), bytes)| {
            let dtype = match array.data {
                Data::Float(_) => safetensors::Dtype::F32,
                Data::Double(_) => safetensors::Dtype::F64,
                Data::Half(_) => safetensors::Dtype::F16,
                Data::BFloat16(_) => safetensors::Dtype::BF16,
                Data::Long(_) => safetensors::Dtype::I64,
            };
            let view = TensorView::new(dtype, array.shape.clone(), bytes).map_err(|error| malformed(path, &error))?;
            Ok((name.as_str(), view))
        })
        .collect::<Result<Vec<_>>>()?;
    let file = serialize(views, None).map_err(|error| malformed(path, &error))?;
    replace(path, &file).map_err(|error| failed("write", path, &error))
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    /// Workers of one process may save at the same time.
    static WRITES: AtomicU64 = AtomicU64::new(0);
    // A link is kept, and what it points at is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if target.exists() {
        require_file(&target)?;
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut scratch = target.clone().into_os_string();
    scratch.push(format!(".{}.{}.tmp", std::process::id(), WRITES.fetch_add(1, Ordering::Relaxed)));
    let scratch = PathBuf::from(scratch);
    let written = (|| {
        let mut file = File::create(&scratch)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&scratch, &target)?;
        // Without this a power cut can lose the rename itself. Windows cannot open a folder, and needs no such sync.
        if cfg!(unix) { File::open(&folder)?.sync_all() } else { Ok(()) }
    })();
    if written.is_err() {
        let _ = fs::remove_file(&scratch);
    }
    written
}

/// Reads tensors by name. A file larger than `limit` bytes is refused before it is read.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<(String, Array)>> {
    let size = require_file(path).map_err(|error| failed("read", path, &error))?.len();
    if size > limit as u64 {
        let message = format!("{} has {size} bytes, more than the limit of {limit}", path.display());
        return Err(Error::new(Code::Memory, message));
    }
    let file = fs::read(path).map_err(|error| failed("read", path, &error))?;
    let tensors = SafeTensors::deserialize(&file).map_err(|error| malformed(path, &error))?;
    tensors
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            let data = match view.dtype() {
                safetensors::Dtype::F32 => Data::Float(elements(view.data(), f32::from_le_bytes)),
                safetensors::Dtype::F64 => Data::Double(elements(view.data(), f64::from_le_bytes)),
                safetensors::Dtype::F16 => Data::Half(elements(view.data(), f16::from_le_bytes)),
                safetensors::Dtype::BF16 => Data::BFloat16(elements(view.data(), bf16::from_le_bytes)),
                safetensors::Dtype::I64 => Data::Long(elements(view.data(), i64::from_le_bytes)),
                other => return Err(malformed(path, &format!("`{name}` has the unsupported dtype {other:?}"))),
            };
            Ok((name, Array { data, shape: view.shape().to_vec() }))
        })
        .collect()
}

/// Fails for a folder and for a device, of which some have no end and none is to be replaced.
fn require_file(path: &Path) -> std::io::Result<fs::Metadata> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() { Ok(metadata) } else { Err(std::io::Error::other("it is no regular file")) }
}

fn little_endian(data: &Data) -> Vec<u8> {
    match data {
        Data::Float(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Data::Double(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Data::Half(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Data::BFloat16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Data::Long(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
    }
}

fn elements<T, const N: usize>(bytes: &[u8], from: fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|chunk| from(*chunk)).collect()
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::File, format!("cannot {what} {}: {error}", path.display()))
}

fn malformed(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::new(Code::Format, format!("{} is no safetensors file that fits: {error}", path.display()))
}
