//! The checksum of a file: SHA-256 of the SHA-256 of each of its blocks, so that several threads can compute it.
//!
//! The digits of the checksum itself, which stand in the header, count as zeros.

use std::io::Result;
use std::ops::Range;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};
use stepwell_optim::fallible::filled;

use crate::source::ReadAt;
use crate::threads::share;

/// In bytes, 4 MiB: large enough that the list of checksums is small, small enough that 8 threads share a file of 32 MiB.
pub(crate) const BLOCK_BYTES: u64 = 1 << 22;
/// In bytes, 128 KiB: a thread reads this much at a time, which stays in the second level of its cache.
pub(crate) const READ_BYTES: usize = 1 << 17;
/// Hexadecimal digits of a checksum.
pub(crate) const DIGITS: usize = 64;
/// Bytes of SHA-256.
pub(crate) const DIGEST_BYTES: usize = 32;

/// The checksum of bytes that come one after the other.
#[derive(Default)]
pub(crate) struct Checksum {
    blocks: Sha256,
    block: Sha256,
    /// Bytes of the block that has begun.
    filled: u64,
}

impl Checksum {
    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let left = usize::try_from(BLOCK_BYTES - self.filled).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(left.min(bytes.len()));
            self.block.update(now);
            self.filled += now.len() as u64;
            if self.filled == BLOCK_BYTES {
                self.end_block();
            }
            bytes = later;
        }
    }

    pub(crate) fn finish(mut self) -> String {
        if self.filled > 0 {
            self.end_block();
        }
        hexadecimal(&self.blocks.finalize())
    }

    fn end_block(&mut self) {
        self.blocks.update(self.block.finalize_reset());
        self.filled = 0;
    }
}

/// The digests of the blocks of a source, each computed once.
pub(crate) struct BlockDigests {
    length: u64,
    /// Bytes in whose place the digit 0 counts.
    zeros: Range<u64>,
    digests: Vec<OnceLock<[u8; DIGEST_BYTES]>>,
}

impl BlockDigests {
    /// # Errors
    /// [`Code::Memory`](stepwell_optim::Code::Memory)
    pub(crate) fn new(length: u64, zeros: Range<u64>) -> stepwell_optim::Result<Self> {
        let count = usize::try_from(length.div_ceil(BLOCK_BYTES)).unwrap_or(usize::MAX);
        Ok(Self { length, zeros, digests: filled(count, OnceLock::new())? })
    }

    /// The place for the digest of a block that these bytes are, unless it is known or the digits of the checksum are in it.
    pub(crate) fn missing(&self, block: &Range<u64>) -> Option<&OnceLock<[u8; DIGEST_BYTES]>> {
        let is_whole = block.start.is_multiple_of(BLOCK_BYTES)
            && block.end == self.length.min(block.start + BLOCK_BYTES)
            && self.zeros.start.max(block.start) >= self.zeros.end.min(block.end);
        let digest = self.digests.get(usize::try_from(block.start / BLOCK_BYTES).ok()?)?;
        (is_whole && digest.get().is_none()).then_some(digest)
    }

    /// The digest of each block, if it is known.
    pub(crate) fn known(&self) -> impl Iterator<Item = Option<&[u8; DIGEST_BYTES]>> {
        self.digests.iter().map(OnceLock::get)
    }

    /// Sets the digest of a block, unless it is known.
    pub(crate) fn add(&self, block: usize, digest: [u8; DIGEST_BYTES]) {
        if let Some(place) = self.digests.get(block) {
            place.get_or_init(|| digest);
        }
    }

    /// Computes the digests that are missing, and then the checksum.
    pub(crate) fn complete(&self, source: &dyn ReadAt) -> Result<String> {
        let missing: Vec<_> = self.digests.iter().enumerate().filter(|(_, digest)| digest.get().is_none()).collect();
        share(missing.len(), missing.into_iter(), |next| {
            let mut buffer = vec![0; READ_BYTES];
            while let Some((block, digest)) = next() {
                let start = block as u64 * BLOCK_BYTES;
                let found = self.digest_of(source, start..self.length.min(start + BLOCK_BYTES), &mut buffer)?;
                digest.get_or_init(|| found);
            }
            Ok(())
        })?;
        let mut blocks = Sha256::new();
        for digest in &self.digests {
            blocks.update(digest.get().unwrap_or(&[0; DIGEST_BYTES]));
        }
        Ok(hexadecimal(&blocks.finalize()))
    }

    fn digest_of(&self, source: &dyn ReadAt, block: Range<u64>, buffer: &mut [u8]) -> Result<[u8; DIGEST_BYTES]> {
        let (mut digest, mut at) = (Sha256::new(), block.start);
        while at < block.end {
            let length = buffer.len().min(usize::try_from(block.end - at).unwrap_or(usize::MAX));
            let piece = &mut buffer[..length];
            source.read_exact_at(piece, at)?;
            let end = at + length as u64;
            for position in self.zeros.start.max(at)..self.zeros.end.min(end) {
                // The position is in the piece, whose length is a usize.
                piece[(position - at) as usize] = b'0';
            }
            digest.update(&*piece);
            at = end;
        }
        Ok(digest.finalize().into())
    }
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Bytes;

    #[test]
    fn both_ways_give_one_checksum() {
        for length in [0, 1, 1000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES + 77] {
            let bytes: Vec<u8> = (0..length).map(|i| ((i * 2_654_435_761) >> 7) as u8).collect();
            let mut expected = Checksum::default();
            for piece in bytes.chunks(1_000_003) {
                expected.update(piece);
            }
            let found =
                BlockDigests::new(length, 0..0).expect("there is memory").complete(&Bytes(&bytes)).expect("it is read");
            assert_eq!(found, expected.finish(), "{length}");
        }
    }

    #[test]
    fn a_short_source_is_one_block() {
        // SHA-256 of the SHA-256 of "abc", computed with Python's hashlib.
        let found = BlockDigests::new(3, 0..0).expect("there is memory").complete(&Bytes(b"abc")).expect("it is read");
        assert_eq!(found, "4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358");
    }

    #[test]
    fn digits_count_as_zeros() {
        let found =
            BlockDigests::new(6, 2..4).expect("there is memory").complete(&Bytes(b"abcdef")).expect("it is read");
        let expected =
            BlockDigests::new(6, 0..0).expect("there is memory").complete(&Bytes(b"ab00ef")).expect("it is read");
        assert_eq!(found, expected);
    }
}
