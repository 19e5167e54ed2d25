//! Tensors in a file: safetensors, written so that a crash leaves the old file or the new one.

mod header;
mod json;
mod replace;

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use half::{bf16, f16};
use stepwell_optim::fallible::with_capacity;
use stepwell_optim::{Brief, Code, Error, Result};

use self::header::{Entry, Header, MAX_HEADER_LEN, written};
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// Bytes that are converted at a time.
const CHUNK_BYTES: usize = 1 << 20;
/// In bytes; the length of the header is stored in this many.
const LENGTH: u64 = 8;

/// Name, dtype and shape of a tensor to be written.
pub(crate) struct TensorHeader {
    pub(crate) name: String,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
}

impl TensorHeader {
    fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.size()
    }
}

/// The words of the format for the types that tensors have.
fn word(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::Float => "F32",
        Dtype::Double => "F64",
        Dtype::Half => "F16",
        Dtype::BFloat16 => "BF16",
        Dtype::Long => "I64",
        Dtype::Bool => "BOOL",
    }
}

/// Writes tensors by name. `data` gives the elements of one at a time.
pub(crate) fn write(path: &Path, tensors: &[TensorHeader], data: impl Fn(usize) -> Result<Data>) -> Result<()> {
    let mut order: Vec<usize> = (0..tensors.len()).collect();
    // The largest elements first, so that all are aligned.
    order.sort_by_key(|i| (std::cmp::Reverse(tensors[*i].dtype.size()), &tensors[*i].name));
    let headers = order.iter().map(|i| &tensors[*i]);
    let header = written(headers.map(|tensor| (&*tensor.name, word(tensor.dtype), &*tensor.shape, tensor.bytes())))
        .map_err(|error| malformed(path, &error))?;
    if header.len() as u64 > MAX_HEADER_LEN {
        let message = format!("its names need {} bytes, and the format allows {MAX_HEADER_LEN}", header.len());
        return Err(failed("write", path, &message));
    }
    let mut refused = None;
    let replaced = replace::replace(path, |file| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        for i in order {
            match data(i) {
                Ok(data) => write_elements(file, &data)?,
                Err(error) => {
                    refused = Some(error);
                    return Err(std::io::Error::other("its elements could not be read"));
                }
            }
        }
        Ok(())
    });
    match (replaced, refused) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(error)) => Err(error),
        (Err(error), None) => Err(failed("write", path, &error)),
    }
}

/// An open file with a valid header. No memory of the file's size was allocated for the check.
pub(crate) struct SavedFile {
    file: File,
    header: Header,
    /// Where the elements begin.
    data: u64,
}

/// A tensor of a file.
#[derive(Clone, Copy)]
pub(crate) struct SavedTensor<'a> {
    saved: &'a SavedFile,
    entry: &'a Entry,
}

impl SavedFile {
    /// Reads and checks the header of a file. `limit` is the maximum length of the header in bytes.
    pub(crate) fn open(path: &Path, limit: usize) -> Result<Self> {
        let unreadable = |error: &dyn std::fmt::Display| failed("read", path, error);
        let mut options = OpenOptions::new();
        options.read(true);
        // Opening a pipe would block until a process writes to it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
        let mut file = options.open(path).map_err(|error| unreadable(&error))?;
        let metadata = file.metadata().map_err(|error| unreadable(&error))?;
        if !metadata.is_file() {
            return Err(unreadable(&"it is not a regular file"));
        }
        let size = metadata.len();
        let Some(rest) = size.checked_sub(LENGTH) else {
            return Err(malformed(path, &format!("it has {size} bytes, fewer than {LENGTH}")));
        };
        let mut length = [0; LENGTH as usize];
        file.read_exact(&mut length).map_err(|error| unreadable(&error))?;
        let length = u64::from_le_bytes(length);
        if length > rest.min(MAX_HEADER_LEN) {
            let possible = match length > rest {
                true => format!("but only {rest} follow"),
                false => format!("and the format allows {MAX_HEADER_LEN}"),
            };
            return Err(malformed(path, &format!("its first 8 bytes announce a header of {length} bytes, {possible}")));
        }
        if length > limit as u64 {
            return Err(too_large(path, length, limit));
        }
        let mut text = with_capacity(length as usize)?;
        text.resize(length as usize, 0);
        file.read_exact(&mut text).map_err(|error| unreadable(&error))?;
        let text = String::from_utf8(text).map_err(|_| malformed(path, &"its header is not UTF-8"))?;
        let header = Header::parse(text, rest - length).map_err(|problem| malformed(path, &problem))?;
        Ok(Self { file, header, data: LENGTH + length })
    }

    /// All tensors, in the order of their elements.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = SavedTensor<'_>> {
        self.header.entries().iter().map(|entry| SavedTensor { saved: self, entry })
    }

    pub(crate) fn find(&self, name: &str) -> Option<SavedTensor<'_>> {
        self.header.find(name).map(|entry| SavedTensor { saved: self, entry })
    }
}

impl SavedTensor<'_> {
    pub(crate) fn name(&self) -> Cow<'_, str> {
        self.saved.header.name(self.entry)
    }

    /// The element type as the file names it, and the sizes of the dimensions.
    pub(crate) fn type_and_shape(&self) -> (&'static str, Vec<u64>) {
        // It was read before.
        self.saved.header.description(self.entry).map_or(("", Vec::new()), |found| (found.dtype.0, found.shape))
    }

    /// The bytes of its elements.
    pub(crate) fn bytes(&self) -> u64 {
        self.entry.end - self.entry.start
    }

    /// The elements, read as `dtype`, which must be the dtype in the file.
    pub(crate) fn read(&self, path: &Path, dtype: Dtype) -> Result<Data> {
        let mut file = &self.saved.file;
        let start = SeekFrom::Start(self.saved.data + self.entry.start);
        file.seek(start).map_err(|error| failed("read", path, &error))?;
        let bytes = self.bytes() as usize;
        let unreadable = |error: std::io::Error| failed("read", path, &error);
        Ok(match dtype {
            Dtype::Float => Data::Float(read_elements(file, bytes, f32::from_le_bytes, unreadable)?),
            Dtype::Double => Data::Double(read_elements(file, bytes, f64::from_le_bytes, unreadable)?),
            Dtype::Half => Data::Half(read_elements(file, bytes, f16::from_le_bytes, unreadable)?),
            Dtype::BFloat16 => Data::BFloat16(read_elements(file, bytes, bf16::from_le_bytes, unreadable)?),
            Dtype::Long => Data::Long(read_elements(file, bytes, i64::from_le_bytes, unreadable)?),
            Dtype::Bool => Data::Bool(read_elements(file, bytes, |[byte]| byte != 0, unreadable)?),
        })
    }
}

/// The dtype of a word of the format; `None` if tensors do not have it.
pub(crate) fn dtype_of(given: &str) -> Option<Dtype> {
    Dtype::ALL.into_iter().find(|dtype| word(*dtype) == given)
}

fn read_elements<T, const N: usize>(
    mut file: &File,
    bytes: usize,
    from: fn([u8; N]) -> T,
    unreadable: impl Fn(std::io::Error) -> Error,
) -> Result<Vec<T>> {
    let mut elements = with_capacity(bytes / N)?;
    let mut piece = with_capacity(CHUNK_BYTES.min(bytes))?;
    let mut left = bytes;
    while left > 0 {
        piece.resize(CHUNK_BYTES.min(left), 0);
        file.read_exact(&mut piece).map_err(&unreadable)?;
        elements.extend(piece.as_chunks().0.iter().map(|chunk| from(*chunk)));
        left -= piece.len();
    }
    Ok(elements)
}

fn write_elements(file: &mut File, data: &Data) -> std::io::Result<()> {
    fn each<T: Copy, const N: usize>(file: &mut File, elements: &[T], to: fn(T) -> [u8; N]) -> std::io::Result<()> {
        let mut piece = Vec::new();
        for chunk in elements.chunks(CHUNK_BYTES / N) {
            piece.resize(chunk.len() * N, 0);
            piece.as_chunks_mut().0.iter_mut().zip(chunk).for_each(|(bytes, element)| *bytes = to(*element));
            file.write_all(&piece)?;
        }
        Ok(())
    }
    match data {
        Data::Float(v) => each(file, v, f32::to_le_bytes),
        Data::Double(v) => each(file, v, f64::to_le_bytes),
        Data::Half(v) => each(file, v, f16::to_le_bytes),
        Data::BFloat16(v) => each(file, v, bf16::to_le_bytes),
        Data::Long(v) => each(file, v, i64::to_le_bytes),
        Data::Bool(v) => each(file, v, |x| [u8::from(x)]),
    }
}

pub(crate) fn too_large(path: &Path, bytes: u64, limit: usize) -> Error {
    let message = format!("{} needs {bytes} bytes, more than the limit of {limit}", Brief(&path.to_string_lossy()));
    Error::new(Code::Memory, message)
}

fn failed(what: &str, path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::new(Code::File, format!("cannot {what} {}: {error}", Brief(&path.to_string_lossy())))
}

fn malformed(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::new(Code::Format, format!("{} is not a valid safetensors file: {error}", Brief(&path.to_string_lossy())))
}
