//! Chunks of a tensor, the operations on their gradients, and their sums.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::numeric::clip::GradientTransform;

/// In elements; 64 KiB as f32. Large enough to hide the cost of starting a chunk, small enough that threads finish
/// together.
/// A multiple of [`LANES`](crate::numeric::norm::LANES). Independent of the number of threads, since sums are taken per
/// chunk and added in order.
pub(super) const CHUNK_LEN: usize = 1 << 14;

/// A range of consecutive elements of a tensor.
#[derive(Clone, Copy)]
pub(crate) struct Chunk {
    pub(super) tensor: u32,
    /// Copy of the tensor's `constants`, so that comparing chunks reads no tensor.
    pub(super) constants: u32,
    pub(super) start: usize,
    pub(super) length: usize,
}

/// Gradient operations fused into the kernel: unscale, clip, zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct GradientOps {
    pub(super) transform: GradientTransform,
    /// Zero the gradient after the last read.
    pub(super) zero: bool,
}

impl GradientOps {
    pub(super) const NONE: GradientOps = GradientOps { transform: GradientTransform::Identity, zero: false };
}

/// One chunk's sums of squares for up to two values, as bits of an `f64`, so that threads may share a list.
pub(super) type Sums = [AtomicU64; 2];

/// The sum of one value over all chunks, in order.
pub(super) fn total(sums: &[Sums], value: usize) -> f64 {
    sums.iter().fold(0.0, |sum, sums| sum + f64::from_bits(sums[value].load(Ordering::Relaxed)))
}

/// The part of a list that a range covers.
pub(super) fn within<'a, T>(list: &'a [T], range: &Range<usize>) -> &'a [T] {
    &list[range.start.min(list.len())..range.end.min(list.len())]
}

/// Cuts a range into parts of at least `least` elements, except for the last part.
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
