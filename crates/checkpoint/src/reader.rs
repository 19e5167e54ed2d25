//! Reading: the header is checked against the size of the file, then tensors are read one by one, in pieces.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use stepwell_optim::fallible::with_capacity;
use stepwell_optim::{Brief, Code, Error, Result};

use crate::checksum::{BLOCK_BYTES, BlockDigests, READ_BYTES};
use crate::description::{DIGITS_PLACE, Description, LENGTH_BYTES, has_digits_at_their_place};
use crate::errors::{failed, malformed};
use crate::header::{Entry, Header, MAX_HEADER_LEN};
use crate::source::ReadAt;
use crate::threads::share;

/// How often a read that failed is tried again: the file was read before, so that an error may pass.
const MAX_TRIES: usize = 3;
/// In bytes, 1 MiB: tensors are read in pieces of at most this size, a multiple of every element's.
const PIECE_BYTES: usize = 1 << 20;

/// A file with a valid header. No memory of the file's size was allocated for the check.
pub struct Checkpoint<S> {
    source: S,
    /// Its name in messages.
    place: String,
    header: Header,
    description: Option<Description>,
    /// Where the elements begin.
    data: u64,
    length: u64,
    /// The digests of blocks that were read, if they are computed.
    digests: Option<BlockDigests>,
}

/// A tensor of a file.
pub struct SavedTensor<'a, S> {
    saved: &'a Checkpoint<S>,
    entry: &'a Entry,
}

impl<S> Clone for SavedTensor<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for SavedTensor<'_, S> {}

impl<S: ReadAt> Checkpoint<S> {
    /// Reads and checks a header. `limit` is the most bytes that it may take, in memory.
    ///
    /// # Errors
    /// [`Code::File`] if the source is not read. [`Code::Format`] for a header that does not fit the source, or for a newer
    /// version of the format. [`Code::Memory`] for a header above the limit.
    pub fn open(source: S, place: &str, limit: usize) -> Result<Self> {
        let unreadable = |error: std::io::Error| failed("read", place, &error);
        let size = source.length().map_err(unreadable)?;
        let Some(rest) = size.checked_sub(LENGTH_BYTES) else {
            return Err(malformed(place, &format!("it has {size} bytes, fewer than {LENGTH_BYTES}")));
        };
        let mut length = [0; LENGTH_BYTES as usize];
        source.read_exact_at(&mut length, 0).map_err(unreadable)?;
        let length = u64::from_le_bytes(length);
        if length > rest.min(MAX_HEADER_LEN) {
            let possible = match length > rest {
                true => format!("but only {rest} follow"),
                false => format!("and the format allows {MAX_HEADER_LEN}"),
            };
            return Err(malformed(
                place,
                &format!("its first 8 bytes announce a header of {length} bytes, {possible}"),
            ));
        }
        if length > limit as u64 {
            let place = Brief(place);
            return Err(Error::new(
                Code::Memory,
                format!("{place} needs {length} bytes, more than the limit of {limit}"),
            ));
        }
        let mut text = with_capacity(length as usize)?;
        text.resize(length as usize, 0);
        source.read_exact_at(&mut text, LENGTH_BYTES).map_err(unreadable)?;
        let text = String::from_utf8(text).map_err(|_| malformed(place, &"its header is not UTF-8"))?;
        let header = Header::parse(text, rest - length).map_err(|problem| malformed(place, &problem))?;
        let description = header.description_text().map(Description::parse).transpose();
        let description = description.map_err(|problem| malformed(place, &problem))?;
        Ok(Self {
            source,
            place: place.to_owned(),
            header,
            description,
            data: LENGTH_BYTES + length,
            length: size,
            digests: None,
        })
    }

    /// Computes digests while tensors are read into memory from now on, so that [`Checkpoint::verify`] reads only the rest.
    ///
    /// # Errors
    /// [`Code::Memory`]
    pub fn verify_while_reading(&mut self) -> Result<()> {
        if self.description.is_some() {
            self.digests = Some(BlockDigests::new(self.length, DIGITS_PLACE)?);
        }
        Ok(())
    }

    /// The JSON of the description, if the file has one; other programs write none.
    pub fn content(&self) -> Option<&str> {
        self.description.as_ref().map(Description::content)
    }

    /// The version of the format, if the file has a description.
    pub fn version(&self) -> Option<u64> {
        self.description.as_ref().map(Description::version)
    }

    /// The checksum that the file states, if it has a description.
    pub fn checksum(&self) -> Option<&str> {
        self.description.as_ref().map(|description| &*description.sha256)
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.length
    }

    /// Reads a block or a part of one, and takes the digest if it is whole.
    fn read_block(&self, at: u64, to: &mut [u8]) -> std::io::Result<()> {
        let digest = self.digests.as_ref().and_then(|digests| digests.missing(&(at..at + to.len() as u64)));
        let mut hash = digest.map(|_| Sha256::new());
        let mut at = at;
        for piece in to.chunks_mut(READ_BYTES) {
            let mut tries = 1;
            while let Err(error) = self.source.read_exact_at(piece, at) {
                if tries == MAX_TRIES || error.kind() == std::io::ErrorKind::UnexpectedEof {
                    return Err(error);
                }
                tries += 1;
            }
            if let Some(hash) = &mut hash {
                hash.update(&*piece);
            }
            at += piece.len() as u64;
        }
        if let (Some(digest), Some(hash)) = (digest, hash) {
            digest.get_or_init(|| hash.finalize().into());
        }
        Ok(())
    }

    /// Compares the file with its checksum; without a description there is none, and nothing is compared.
    ///
    /// # Errors
    /// [`Code::Format`] for another checksum, or if another program has written the header; [`Code::File`].
    pub fn verify(&self) -> Result<()> {
        let Some(description) = &self.description else { return Ok(()) };
        if !has_digits_at_their_place(self.header.text()) {
            let problem = "another program has written its header, so that its checksum does not hold";
            return Err(malformed(&self.place, &problem));
        }
        let own;
        let digests = match &self.digests {
            Some(digests) => digests,
            None => {
                own = BlockDigests::new(self.length, DIGITS_PLACE)?;
                &own
            }
        };
        let found = digests.complete(&self.source);
        let found = found.map_err(|error| failed("read", &self.place, &error))?;
        if found == description.sha256 {
            return Ok(());
        }
        let given = Brief(&description.sha256);
        Err(malformed(&self.place, &format!("it is damaged: its checksum is {found}, and it states {given}")))
    }

    /// All tensors, in the order of their elements.
    pub fn tensors(&self) -> impl Iterator<Item = SavedTensor<'_, S>> {
        self.header.entries().iter().map(|entry| SavedTensor { saved: self, entry })
    }

    /// The tensor of a name.
    pub fn find(&self, name: &str) -> Option<SavedTensor<'_, S>> {
        self.header.find(name).map(|entry| SavedTensor { saved: self, entry })
    }

    /// The name of the file in messages.
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// Memory in the order of a file, divided where its blocks begin.
struct Blocks<'a> {
    at: u64,
    left: &'a mut [u8],
}

impl<'a> Iterator for Blocks<'a> {
    type Item = (u64, &'a mut [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = usize::try_from(BLOCK_BYTES - self.at % BLOCK_BYTES).unwrap_or(usize::MAX);
        let left = std::mem::take(&mut self.left);
        let (block, left) = left.split_at_mut(rest.min(left.len()));
        self.left = left;
        let at = self.at;
        self.at += block.len() as u64;
        (!block.is_empty()).then_some((at, block))
    }
}

impl<S: ReadAt> SavedTensor<'_, S> {
    /// Its name.
    pub fn name(&self) -> Cow<'_, str> {
        self.saved.header.name(self.entry)
    }

    /// The element type as the file names it, and the sizes of the dimensions.
    pub fn type_and_shape(&self) -> (&'static str, Vec<u64>) {
        // It was read before.
        self.saved.header.description(self.entry).map_or(("", Vec::new()), |found| (found.dtype.0, found.shape))
    }

    /// The bytes of its elements.
    pub fn bytes(&self) -> u64 {
        self.entry.end - self.entry.start
    }

    /// Reads the bytes of its elements into memory of their length.
    ///
    /// # Errors
    /// [`Code::File`] if the source is not read; the memory is then written in part. [`Code::Internal`] for another length.
    pub fn read_into(&self, to: &mut [u8]) -> Result<()> {
        if to.len() as u64 != self.bytes() {
            let message = format!("`{}` has {} bytes, and not {}", self.name(), self.bytes(), to.len());
            return Err(Error::new(Code::Internal, message));
        }
        let start = self.saved.data + self.entry.start;
        let count = usize::try_from(self.bytes() / BLOCK_BYTES).unwrap_or(usize::MAX);
        let read = share(count.max(1), Blocks { at: start, left: to }, |next| {
            while let Some((at, block)) = next() {
                self.saved.read_block(at, block)?;
            }
            Ok(())
        });
        read.map_err(|error| failed("read", &self.saved.place, &error))
    }

    /// Gives the bytes of its elements to `take`, piece by piece. Each piece but the last has 1 MiB.
    ///
    /// # Errors
    /// [`Code::File`] if the source is not read; [`Code::Memory`].
    pub fn read(&self, take: &mut dyn FnMut(&[u8])) -> Result<()> {
        let mut at = self.entry.start;
        let left = usize::try_from(self.bytes()).unwrap_or(usize::MAX);
        let mut piece = with_capacity(PIECE_BYTES.min(left))?;
        while at < self.entry.end {
            let length = PIECE_BYTES.min(usize::try_from(self.entry.end - at).unwrap_or(usize::MAX));
            piece.resize(length, 0);
            let read = self.saved.source.read_exact_at(&mut piece, self.saved.data + at);
            read.map_err(|error| failed("read", &self.saved.place, &error))?;
            take(&piece);
            at += length as u64;
        }
        Ok(())
    }
}
