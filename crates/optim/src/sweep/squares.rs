//! Sums of squares, of which norms are the roots.

use std::sync::atomic::{AtomicU64, Ordering};

/// The sums of squares of one chunk, as bits of an `f64`, so that threads may share a list.
#[derive(Default)]
pub(super) struct ChunkSquares {
    pub(super) gradient: AtomicU64,
    pub(super) parameter: AtomicU64,
    pub(super) update: AtomicU64,
}

/// The sums of squares that the factor of the second stage follows from.
#[derive(Clone, Copy, Default)]
pub(crate) struct StageSquares {
    pub(super) parameter: f64,
    pub(super) update: f64,
}

impl StageSquares {
    /// Adds the sums of the next block or chunk.
    #[inline(always)]
    pub(super) fn add(&mut self, next: Self) {
        self.parameter += next.parameter;
        self.update += next.update;
    }
}

/// The sum of one field over all chunks, in order.
pub(super) fn total(chunks: &[ChunkSquares], field: impl Fn(&ChunkSquares) -> &AtomicU64) -> f64 {
    chunks.iter().fold(0.0, |sum, squares| sum + f64::from_bits(field(squares).load(Ordering::Relaxed)))
}
