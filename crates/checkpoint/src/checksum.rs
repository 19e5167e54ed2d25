//! The checksum of a file: SHA-256 of the SHA-256 of each of its blocks, so that several threads can compute it.
//!
//! The digits of the checksum itself, which stand in the header, count as zeros.

use std::io::Result;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use sha2::{Digest, Sha256};

use crate::source::ReadAt;

/// In bytes, 4 MiB: large enough that the list of checksums is small, small enough that 8 threads share a file of 32 MiB.
const BLOCK_BYTES: u64 = 1 << 22;
/// In bytes, 128 KiB: a thread reads this much at a time, which stays in the second level of its cache.
const READ_BYTES: usize = 1 << 17;
/// More threads do not help: they wait for memory.
const MAX_THREADS: usize = 8;
/// Hexadecimal digits of a checksum.
pub(crate) const DIGITS: usize = 64;
/// Bytes of SHA-256.
const DIGEST_BYTES: usize = 32;

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

/// The checksum of a source of `length` bytes, with the digit 0 in the place of each byte of `zeros`.
pub(crate) fn checksum_of(source: &dyn ReadAt, length: u64, zeros: &Range<u64>) -> Result<String> {
    let count = length.div_ceil(BLOCK_BYTES);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let threads = threads.min(usize::try_from(count).unwrap_or(usize::MAX)).max(1);
    let (next, stopped) = (AtomicU64::new(0), AtomicBool::new(false));
    let work = || -> Result<Vec<(u64, [u8; DIGEST_BYTES])>> {
        let mut digests = Vec::new();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block >= count || stopped.load(Ordering::Relaxed) {
                return Ok(digests);
            }
            let start = block * BLOCK_BYTES;
            let digest = digest_of(source, start..length.min(start + BLOCK_BYTES), zeros, &mut buffer);
            match digest {
                Ok(digest) => digests.push((block, digest)),
                Err(error) => {
                    stopped.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    };
    let mut digests = thread::scope(|scope| -> Result<Vec<_>> {
        // A thread that cannot be started is not needed: this one takes every block that is left.
        let others: Vec<_> = (1..threads)
            .filter_map(|_| thread::Builder::new().name("checksum".into()).spawn_scoped(scope, work).ok())
            .collect();
        let mut digests = work();
        for other in others {
            let found = other.join().unwrap_or_else(|_| Err(std::io::Error::other("a thread of the checksum failed")));
            digests = digests.and_then(|mut all| {
                all.extend(found?);
                Ok(all)
            });
        }
        digests
    })?;
    digests.sort_unstable_by_key(|(block, _)| *block);
    let mut blocks = Sha256::new();
    for (_, digest) in digests {
        blocks.update(digest);
    }
    Ok(hexadecimal(&blocks.finalize()))
}

fn digest_of(
    source: &dyn ReadAt,
    block: Range<u64>,
    zeros: &Range<u64>,
    buffer: &mut [u8],
) -> Result<[u8; DIGEST_BYTES]> {
    let (mut digest, mut at) = (Sha256::new(), block.start);
    while at < block.end {
        let length = buffer.len().min(usize::try_from(block.end - at).unwrap_or(usize::MAX));
        let piece = &mut buffer[..length];
        source.read_exact_at(piece, at)?;
        let end = at + length as u64;
        for position in zeros.start.max(at)..zeros.end.min(end) {
            // The position is in the piece, whose length is a usize.
            piece[(position - at) as usize] = b'0';
        }
        digest.update(&*piece);
        at = end;
    }
    Ok(digest.finalize().into())
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
            let found = checksum_of(&Bytes(&bytes), length, &(0..0)).expect("it is read");
            assert_eq!(found, expected.finish(), "{length}");
        }
    }

    #[test]
    fn a_short_source_is_one_block() {
        // SHA-256 of the SHA-256 of "abc", computed with Python's hashlib.
        let found = checksum_of(&Bytes(b"abc"), 3, &(0..0)).expect("it is read");
        assert_eq!(found, "4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358");
    }

    #[test]
    fn digits_count_as_zeros() {
        let found = checksum_of(&Bytes(b"abcdef"), 6, &(2..4)).expect("it is read");
        assert_eq!(found, checksum_of(&Bytes(b"ab00ef"), 6, &(0..0)).expect("it is read"));
    }
}
