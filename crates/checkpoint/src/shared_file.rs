//! A file that several processes write, each the parts of tensors that it has.
//!
//! One process makes the scratch file with its header, and the others open it. Each writes its parts, and computes the digests of the blocks of the
//! checksum that it writes as a whole. The first process gets these digests, reads the other blocks back, and replaces the file.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};
use stepwell_optim::{Code, Error, Result};

use crate::checksum::{BLOCK_BYTES, BlockDigests, DIGEST_BYTES};
use crate::description::{DIGITS_PLACE, LENGTH_BYTES};
use crate::errors::failed;
use crate::layout::{Layout, TensorHeader};
use crate::replace::{Replacement, open_scratch};
use crate::threads::share;
use crate::write_behind::{WINDOW_BYTES, start_writing};
use crate::writer::Sink;

/// Numbers of a digest, each of 4 bytes.
const DIGEST_NUMBERS: usize = DIGEST_BYTES / 4;
/// The number in the place of each number of an unknown digest.
const UNKNOWN: f64 = -1.0;

/// A file that several processes write. If the process that has made it drops it, the scratch file is removed.
pub struct SharedFile {
    /// The name of the file in messages.
    place: String,
    scratch: Scratch,
    /// Bytes before the data of the tensors.
    start: u64,
    /// The bytes of each tensor, counted from `start`.
    ranges: Vec<Range<u64>>,
    digests: BlockDigests,
    /// Bytes that this process has written.
    written: AtomicUsize,
}

/// The scratch file of this process or of another one.
enum Scratch {
    Own(Box<Replacement>),
    Other(File),
}

impl SharedFile {
    /// How many numbers [`place`](Self::place) has.
    pub const PLACE_NUMBERS: usize = 5;

    /// Makes the scratch file for the file at `path`, with the header of tensors and a description, which is JSON.
    ///
    /// # Errors
    /// As of [`write_file`](crate::write_file).
    pub fn create(path: &Path, tensors: &[TensorHeader], content: &str) -> Result<Self> {
        let place = path.to_string_lossy();
        let unwritable = |error: io::Error| failed("write", &place, &error);
        let layout = Layout::new(&place, tensors)?;
        let header = layout.header(&place, tensors, content)?;
        let replacement = Replacement::begin(path).map_err(unwritable)?;
        let start = LENGTH_BYTES + header.len() as u64;
        replacement.file().set_len(start + layout.length).map_err(unwritable)?;
        let file = Self::new(path, Scratch::Own(Box::new(replacement)), start, layout)?;
        file.write_at(0, &(header.len() as u64).to_le_bytes()).map_err(unwritable)?;
        file.write_at(LENGTH_BYTES, header.as_bytes()).map_err(unwritable)?;
        Ok(file)
    }

    /// Opens the scratch file that another process has made for the file at `path`, with the numbers of its place. All have tensors of
    /// the same names, types and shapes.
    ///
    /// # Errors
    /// [`Code::File`] unless it is there.
    pub fn open(path: &Path, tensors: &[TensorHeader], place: &[f64]) -> Result<Self> {
        let [start, token @ ..] = place else { return Err(Error::new(Code::Internal, "no place of a scratch file")) };
        let mut words = token.as_chunks().0.iter().map(|[high, low]| (*high as u64) << 32 | *low as u64);
        let token = [0, 1].map(|_| words.next().unwrap_or(0));
        let name = path.to_string_lossy();
        let layout = Layout::new(&name, tensors)?;
        let file = open_scratch(path, token).map_err(|error| failed("write", &name, &error))?;
        Self::new(path, Scratch::Other(file), *start as u64, layout)
    }

    fn new(path: &Path, scratch: Scratch, start: u64, Layout { ranges, length, .. }: Layout) -> Result<Self> {
        let digests = BlockDigests::new(start + length, DIGITS_PLACE)?;
        let place = path.to_string_lossy().into_owned();
        Ok(Self { place, scratch, start, ranges, digests, written: AtomicUsize::new(0) })
    }

    fn file(&self) -> &File {
        match &self.scratch {
            Scratch::Own(replacement) => replacement.file(),
            Scratch::Other(file) => file,
        }
    }

    /// Where other processes find the scratch file, as numbers. Zeros on these.
    pub fn place(&self) -> [f64; Self::PLACE_NUMBERS] {
        let Scratch::Own(replacement) = &self.scratch else { return [0.0; Self::PLACE_NUMBERS] };
        let [a, b] = replacement.token();
        [self.start, a >> 32, a & u64::from(u32::MAX), b >> 32, b & u64::from(u32::MAX)].map(|number| number as f64)
    }

    /// Writes some bytes of a tensor, out of those that `data` gives to a sink. These begin with the byte `first`.
    ///
    /// # Errors
    /// [`Code::Internal`] if bytes are missing, and the errors of `data`.
    pub fn write(
        &self,
        tensor: usize,
        bytes: Range<u64>,
        first: u64,
        data: &mut dyn FnMut(&mut dyn Sink) -> Result<()>,
    ) -> Result<()> {
        let mut part = Part { file: self, tensor: &self.ranges[tensor], bytes: bytes.clone(), next: first };
        data(&mut part)?;
        if first > bytes.start || part.next < bytes.end {
            let message = format!("expected bytes {bytes:?} of a tensor, given {:?}", first..part.next);
            return Err(Error::new(Code::Internal, message));
        }
        Ok(())
    }

    /// Writes bytes at a place, on several threads, and computes the digests of the blocks that they fill.
    fn write_at(&self, offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        let count = (bytes.len() as u64).div_ceil(BLOCK_BYTES);
        let mut at = offset;
        let pieces = std::iter::from_fn(|| {
            let to_end = usize::try_from(BLOCK_BYTES - at % BLOCK_BYTES).unwrap_or(usize::MAX);
            let (piece, rest) = bytes.split_at(to_end.min(bytes.len()));
            let found = (!piece.is_empty()).then_some((at, piece));
            (at, bytes) = (at + piece.len() as u64, rest);
            found
        });
        share(usize::try_from(count).unwrap_or(usize::MAX), pieces, |next| {
            while let Some((at, piece)) = next() {
                write_all_at(self.file(), piece, at)?;
                let before = self.written.fetch_add(piece.len(), Ordering::Relaxed);
                if before / WINDOW_BYTES != (before + piece.len()) / WINDOW_BYTES {
                    start_writing(self.file(), 0, 0);
                }
                if let Some(digest) = self.digests.missing(&(at..at + piece.len() as u64)) {
                    digest.get_or_init(|| Sha256::digest(piece).into());
                }
            }
            Ok(())
        })
    }

    /// How many numbers [`digests`](Self::digests) has.
    pub fn digest_numbers(&self) -> usize {
        DIGEST_NUMBERS * self.digests.known().count()
    }

    /// The digests that this process knows, as numbers, as many on each process.
    pub fn digests(&self) -> Vec<f64> {
        let numbers = |digest: &[u8; DIGEST_BYTES]| {
            let words: &[[u8; 4]] = digest.as_chunks().0;
            std::array::from_fn(|i| f64::from(u32::from_le_bytes(words[i])))
        };
        self.digests.known().flat_map(|digest| digest.map_or([UNKNOWN; DIGEST_NUMBERS], numbers)).collect()
    }

    /// Takes the digests that another process knows.
    pub fn add_digests(&self, numbers: &[f64]) {
        let digests: &[[f64; DIGEST_NUMBERS]] = numbers.as_chunks().0;
        for (block, words) in digests.iter().enumerate().filter(|(_, words)| !words.contains(&UNKNOWN)) {
            let mut digest = [0; DIGEST_BYTES];
            for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(words) {
                *bytes = (*word as u32).to_le_bytes();
            }
            self.digests.add(block, digest);
        }
    }

    /// Writes the checksum, and replaces the file. On the process that has made it, once all have written their parts.
    ///
    /// # Errors
    /// [`Code::File`]. The file is then as before, unless the message says that it has the new content.
    pub fn commit(self) -> Result<()> {
        let Scratch::Own(replacement) = self.scratch else {
            return Err(Error::new(Code::Internal, "a scratch file of another process"));
        };
        let committed = self.digests.complete(replacement.file()).and_then(|digits| {
            write_all_at(replacement.file(), digits.as_bytes(), DIGITS_PLACE.start)?;
            replacement.commit()
        });
        committed.map_err(|error| failed("write", &self.place, &error))
    }
}

/// The bytes of a tensor on their way to the file.
struct Part<'a> {
    file: &'a SharedFile,
    tensor: &'a Range<u64>,
    /// The bytes to be written, counted from the first of the tensor.
    bytes: Range<u64>,
    /// The next byte that comes.
    next: u64,
}

impl Sink for Part<'_> {
    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        let given = self.next..self.next + bytes.len() as u64;
        let wanted =
            self.bytes.start.max(given.start)..self.bytes.end.min(given.end).min(self.tensor.end - self.tensor.start);
        self.next = given.end;
        if wanted.is_empty() {
            return Ok(());
        }
        // Both are within the bytes, whose number is a usize.
        let piece = &bytes[(wanted.start - given.start) as usize..(wanted.end - given.start) as usize];
        self.file.write_at(self.file.start + self.tensor.start + wanted.start, piece)
    }
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, offset)? {
            0 => return Err(io::Error::from(io::ErrorKind::WriteZero)),
            count => {
                bytes = &bytes[count..];
                offset += count as u64;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Checkpoint;
    use crate::source::RegularFile;
    use crate::writer::write_file;

    /// Three processes write the bytes of tensors, of which one ends within a block of another one.
    #[test]
    fn parts_make_the_file_of_one_process() {
        let folder = std::env::temp_dir().join(format!("stepwell-shared-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("there is a folder");
        let [shared, whole] = ["shared", "whole"].map(|name| folder.join(name));
        let tensor = |name: &str, length| TensorHeader { name: name.into(), dtype: "F32", shape: vec![length] };
        let tensors = [tensor("a", 1000), tensor("b", 5 << 20), tensor("c", 0), tensor("d", 3 << 20)];
        let elements: Vec<Vec<u8>> = tensors
            .iter()
            .enumerate()
            .map(|(i, tensor)| (0..4 * tensor.shape[0]).map(|byte| ((byte * 31 + i) >> 3) as u8).collect())
            .collect();
        let take = |sink: &mut dyn Sink, bytes: &[u8]| sink.take(bytes).map_err(|error| failed("write", "it", &error));
        write_file(&whole, &tensors, "{}", &mut |i, sink| take(sink, &elements[i])).expect("it is written");

        let first = SharedFile::create(&shared, &tensors, "{}").expect("it is made");
        let place = first.place();
        let others = [0, 1].map(|_| SharedFile::open(&shared, &tensors, &place).expect("it is there"));
        let mut wrong = place;
        wrong[4] += 1.0;
        assert_eq!(SharedFile::open(&shared, &tensors, &wrong).err().map(|error| error.code()), Some(Code::File));
        let cut = 9 << 20;
        // One of them gives the whole tensor, and the other one its part.
        first.write(1, 0..cut, 0, &mut |sink| take(sink, &elements[1])).expect("it is written");
        let rest = &elements[1][cut as usize..];
        others[0].write(1, cut..20 << 20, cut, &mut |sink| take(sink, rest)).expect("it is written");
        others[1].write(3, 0..12 << 20, 0, &mut |sink| take(sink, &elements[3])).expect("it is written");
        others[0].write(0, 0..4000, 0, &mut |sink| take(sink, &elements[0])).expect("it is written");
        first.write(2, 0..0, 0, &mut |_| Ok(())).expect("there is nothing to write");
        for other in &others {
            assert!(other.digests().len() == first.digest_numbers());
            assert!(other.digests().iter().any(|number| *number != UNKNOWN));
            first.add_digests(&other.digests());
        }
        let mut known = first.digests.known();
        assert!(known.any(|digest| digest.is_none()) && first.digests.known().any(|digest| digest.is_some()));
        drop(known);
        first.commit().expect("it is written");
        assert!(std::fs::read(&shared).expect("it is read") == std::fs::read(&whole).expect("it is read"));
        let file = RegularFile::open(&shared).expect("it is there");
        Checkpoint::open(file, "it", usize::MAX).and_then(|saved| saved.verify()).expect("its checksum is right");

        let dropped = SharedFile::create(&shared, &tensors, "{}").expect("it is made");
        let short = dropped.write(3, 0..12 << 20, 0, &mut |sink| take(sink, &elements[3][1..]));
        assert_eq!(short.expect_err("a byte is missing").code(), Code::Internal);
        drop(dropped);
        assert_eq!(std::fs::read_dir(&folder).expect("it is read").count(), 2);
        std::fs::remove_dir_all(&folder).expect("it is removed");
    }
}
