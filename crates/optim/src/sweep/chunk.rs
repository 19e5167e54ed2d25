//! Chunks of a tensor, what is done to their gradients, and their sums.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::numeric::clip::GradientTransform;

/// Elements of a chunk: enough that beginning one costs nothing, few enough that threads finish together. A multiple of
/// the lanes of a sum, and the same for any number of threads: sums are taken for each chunk and then together.
pub(super) const CHUNK_LEN: usize = 1 << 14;

/// Elements of a tensor that lie together.
#[derive(Clone, Copy)]
pub(crate) struct Chunk {
    pub(super) tensor: u32,
    /// Those of the tensor, so that to tell them apart touches no tensor.
    pub(super) constants: u32,
    pub(super) start: usize,
    pub(super) length: usize,
}

/// What is done to gradients on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct GradientOps {
    pub(super) transform: GradientTransform,
    /// Set the gradient to zero once it has been read for the last time.
    pub(super) zero: bool,
}

impl GradientOps {
    pub(super) const NONE: GradientOps = GradientOps { transform: GradientTransform::Identity, zero: false };
}

/// A sum of squares for each of up to two values, of one chunk; the bits of an `f64`, so that threads may share a list.
pub(super) type Sums = [AtomicU64; 2];

/// The sum of one value over all chunks, in order.
pub(super) fn total(sums: &[Sums], value: usize) -> f64 {
    sums.iter().fold(0.0, |sum, sums| sum + f64::from_bits(sums[value].load(Ordering::Relaxed)))
}

/// Those of a list that a range has.
pub(super) fn within<'a, T>(list: &'a [T], range: &Range<usize>) -> &'a [T] {
    &list[range.start.min(list.len())..range.end.min(list.len())]
}

/// Cuts a range into parts of at least `least` elements, the last one excepted.
pub(super) fn cut(
    range: Range<usize>,
    least: usize,
    length: impl Fn(usize) -> usize,
    mut part: impl FnMut(Range<usize>) -> Result<()>,
) -> Result<()> {
    let (mut start, mut elements) = (range.start, 0);
    for i in range.clone() {
        elements += length(i);
        if elements >= least || i + 1 == range.end {
            part(start..i + 1)?;
            (start, elements) = (i + 1, 0);
        }
    }
    Ok(())
}
