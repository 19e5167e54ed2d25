//! Writing: the header, the elements of one tensor after the other, and then the checksum at its place in the header.

use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::thread;

use stepwell_optim::{Code, Error, Result};

use crate::checksum::Checksum;
use crate::description::DIGITS_PLACE;
use crate::errors::failed;
use crate::layout::{Layout, TensorHeader};
use crate::replace;
use crate::write_behind::WriteBehind;

/// In bytes, 256 KiB: another thread computes the checksum of at least this much while this one writes. It takes 150 us, and a
/// thread 30 us.
const MIN_SHARED_BYTES: usize = 1 << 18;
/// In bytes, 64 MiB: a write that fails waits for the checksum of at most this much.
const MAX_SHARED_BYTES: usize = 1 << 26;

/// Takes the bytes of a tensor, little endian, in any number of pieces.
pub trait Sink {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// As the system reports them.
    fn take(&mut self, bytes: &[u8]) -> std::io::Result<()>;
}

/// Writes a checkpoint and replaces the file at `path` by it. See [`write`].
///
/// # Errors
/// [`Code::File`] if the system does not write the file, and the errors of [`write`]. The file is then as before, unless only the sync
/// of its folder failed, which the message says.
pub fn write_file(
    path: &Path,
    tensors: &[TensorHeader],
    content: &str,
    data: &mut dyn FnMut(usize, &mut dyn Sink) -> Result<()>,
) -> Result<()> {
    let mut refused = None;
    let place = path.to_string_lossy();
    let replaced = replace::replace(path, |file| {
        write(&place, &mut WriteBehind::new(file), tensors, content, data).map_err(|error| {
            let text = error.to_string();
            refused = Some(error);
            std::io::Error::other(text)
        })
    });
    match (replaced, refused) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(error)) => Err(error),
        (Err(error), None) => Err(failed("write", &place, &error)),
    }
}

/// Writes tensors by name with a description, which is JSON.
///
/// `data` gives the elements of the tensor of an index to a sink, called once for each. `place` is the name of the output in messages.
///
/// # Errors
/// [`Code::File`] if the output fails, and for a header above 100,000,000 bytes. [`Code::Argument`] for a name that comes twice.
/// [`Code::Internal`] for another number of bytes than the shape has. The errors of `data`.
pub fn write(
    place: &str,
    output: &mut (impl Write + Seek),
    tensors: &[TensorHeader],
    content: &str,
    data: &mut dyn FnMut(usize, &mut dyn Sink) -> Result<()>,
) -> Result<()> {
    let layout = Layout::new(place, tensors)?;
    let header = layout.header(place, tensors, content)?;
    let unwritable = |error: std::io::Error| failed("write", place, &error);
    let mut elements = Elements { output, checksum: Checksum::default(), written: 0 };
    elements.take(&(header.len() as u64).to_le_bytes()).map_err(unwritable)?;
    elements.take(header.as_bytes()).map_err(unwritable)?;
    for i in layout.order {
        let Range { start, end } = layout.ranges[i];
        let bytes = end - start;
        elements.written = 0;
        data(i, &mut elements)?;
        if elements.written != bytes {
            let message = format!("`{}`: expected {bytes} bytes, given {}", tensors[i].name, elements.written);
            return Err(Error::new(Code::Internal, message));
        }
    }
    let digits = elements.checksum.finish();
    output.seek(SeekFrom::Start(DIGITS_PLACE.start)).map_err(unwritable)?;
    output.write_all(digits.as_bytes()).map_err(unwritable)?;
    output.flush().map_err(unwritable)
}

/// Bytes on their way to the output, which also go into the checksum.
struct Elements<'a, W> {
    output: &'a mut W,
    checksum: Checksum,
    /// Bytes since the last tensor began.
    written: u64,
}

impl<W: Write> Sink for Elements<'_, W> {
    fn take(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let Self { output, checksum, written } = self;
        *written += bytes.len() as u64;
        for piece in bytes.chunks(MAX_SHARED_BYTES) {
            let mut is_hashed = false;
            let done = thread::scope(|scope| {
                if piece.len() >= MIN_SHARED_BYTES {
                    let hash = || {
                        checksum.update(piece);
                        is_hashed = true;
                    };
                    // Ends with the scope.
                    let _ = thread::Builder::new().name("checkpoint".into()).spawn_scoped(scope, hash);
                }
                output.write_all(piece)
            });
            if !is_hashed {
                checksum.update(piece);
            }
            done?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::reader::Checkpoint;
    use crate::source::Bytes;

    fn tensor(name: &str, dtype: &'static str, shape: &[usize]) -> TensorHeader {
        TensorHeader { name: name.into(), dtype, shape: shape.into() }
    }

    /// Writes each tensor as bytes of its index.
    fn written(tensors: &[TensorHeader], content: &str) -> Result<Vec<u8>> {
        let mut output = Cursor::new(Vec::new());
        write("memory", &mut output, tensors, content, &mut |i, sink| {
            let Range { start, end } = Layout::new("memory", tensors).expect("they have places").ranges[i];
            sink.take(&vec![i as u8; (end - start) as usize]).map_err(|error| failed("write", "memory", &error))
        })?;
        Ok(output.into_inner())
    }

    fn opened(bytes: &[u8]) -> Result<Checkpoint<Bytes<&[u8]>>> {
        let saved = Checkpoint::open(Bytes(bytes), "memory", usize::MAX)?;
        saved.verify()?;
        Ok(saved)
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let name = "a\"\\\n\u{1}😀";
        let tensors = [
            tensor("x", "BF16", &[3]),
            tensor(name, "F64", &[2, 1]),
            tensor("e", "F32", &[0]),
            tensor("s", "F32", &[]),
        ];
        let bytes = written(&tensors, r#"{"epoch":[1,"😀"]}"#).expect("it is written");
        let saved = opened(&bytes).expect("it is read");
        assert_eq!(saved.content(), Some(r#"{"epoch":[1,"😀"]}"#));
        assert_eq!(saved.tensors().map(|t| t.name().into_owned()).collect::<Vec<_>>(), [name, "e", "s", "x"]);
        let mut found = Vec::new();
        let found_tensor = saved.find(name).expect("it is there");
        assert_eq!(found_tensor.type_and_shape(), ("F64", vec![2, 1]));
        found_tensor.read(&mut |piece| found.extend_from_slice(piece)).expect("it is read");
        assert_eq!(found, [1; 16]);
        assert_eq!(written(&tensors, "{}").expect("it is written"), written(&tensors, "{}").expect("it is written"));
    }

    #[test]
    fn every_changed_bit_and_every_length_is_refused() {
        let tensors = [tensor("fc.weight", "F32", &[2, 3]), tensor("fc.bias", "F32", &[2])];
        let bytes = written(&tensors, r#"{"model":{"names":["fc.weight"]}}"#).expect("it is written");
        for position in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[position] ^= 1 << bit;
                let error = opened(&changed).err().unwrap_or_else(|| panic!("bit {bit} of byte {position}"));
                assert_eq!(error.code(), Code::Format, "bit {bit} of byte {position}: {error}");
            }
        }
        for length in 0..bytes.len() {
            assert_eq!(opened(&bytes[..length]).err().expect("it is short").code(), Code::Format);
        }
        assert!(opened(&[bytes, vec![0]].concat()).is_err());
    }

    #[test]
    fn a_checksum_of_elements_that_are_read_finds_every_change() {
        // Two blocks are in the first tensor as a whole, and one in the second.
        let shapes = [[3, 1 << 20], [1, 5 << 20]];
        let tensors = [tensor("a", "F32", &shapes[0]), tensor("b", "BF16", &shapes[1])];
        let bytes = written(&tensors, "{}").expect("it is written");
        let read = |bytes: &[u8]| {
            let mut saved = Checkpoint::open(Bytes(bytes), "memory", usize::MAX)?;
            saved.verify_while_reading()?;
            let mut all = Vec::new();
            for tensor in saved.tensors() {
                let mut elements = vec![7; tensor.bytes() as usize];
                tensor.read_into(&mut elements)?;
                all.extend(elements);
            }
            saved.verify().map(|()| all)
        };
        let elements = read(&bytes).expect("it is read");
        assert!(bytes.ends_with(&elements));
        let (header, last) = (bytes.len() - elements.len(), bytes.len() - 1);
        let blocks = (1..bytes.len() >> 22).flat_map(|block| [(block << 22) - 1, block << 22]);
        for position in [header, last, last / 2].into_iter().chain(blocks) {
            let mut changed = bytes.clone();
            changed[position] ^= 1;
            let error = read(&changed).expect_err("it is damaged");
            assert_eq!(error.code(), Code::Format, "byte {position}: {error}");
        }
    }

    #[test]
    fn names_that_a_file_cannot_hold_are_refused() {
        for tensors in [
            [tensor("x", "F32", &[1]), tensor("x", "F32", &[1])],
            [tensor("a", "F32", &[1]), tensor("__metadata__", "F32", &[1])],
        ] {
            assert_eq!(written(&tensors, "{}").expect_err("it is refused").code(), Code::Argument);
        }
    }

    #[test]
    fn another_number_of_bytes_is_refused() {
        let mut output = Cursor::new(Vec::new());
        let data =
            &mut |_: usize, sink: &mut dyn Sink| sink.take(&[0]).map_err(|error| failed("write", "memory", &error));
        let error = write("memory", &mut output, &[tensor("x", "F32", &[1])], "{}", data).expect_err("it is refused");
        assert_eq!(error.code(), Code::Internal);
    }
}
