//! Batches: ranges of consecutive chunks or tensors, which a thread takes at a time.

use std::ops::Range;

use crate::error::Result;

/// Cuts a range into batches of at least `min_len` elements, except for the last batch.
pub(super) fn cut_into_batches(
    range: Range<usize>,
    min_len: usize,
    length: impl Fn(usize) -> usize,
    mut push: impl FnMut(Range<usize>) -> Result<()>,
) -> Result<()> {
    let (mut start, mut elements) = (range.start, 0);
    for i in range.clone() {
        elements += length(i);
        if elements >= min_len || i + 1 == range.end {
            push(start..i + 1)?;
            (start, elements) = (i + 1, 0);
        }
    }
    Ok(())
}
