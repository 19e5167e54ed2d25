//! Offsets in a page, by which the arrays of a parameter are kept apart.

use crate::memory::{CACHE_LINE_BYTES, PAGE_BYTES};
use crate::state::param_state::MAX_BUFFERS;

/// How far behind a parameter the arrays that are worked on together with it begin, each in whatever page: its buffers in
/// their order, and the room for its update.
const PAGE_OFFSETS: [usize; MAX_BUFFERS + 1] = [2048, 3072, 1024, 2560, 3584, 1536];

/// Of [`PAGE_OFFSETS`], that of the room for an update.
pub(crate) const UPDATE_BUFFER: usize = MAX_BUFFERS;

/// The offset of a page at which such an array may begin.
///
/// A processor compares addresses by their place in a page before it knows better. One that reads a few lines behind
/// what it has just written, by that measure, waits for the write: a step over arrays that lie so takes up to half as long
/// again. libtorch puts what is large one line behind the start of a page, and its neighbours there would be ours. And of two
/// lines at the same place in their pages AMD's nearest cache keeps only one if some sums of further bits of their addresses
/// are equal, as they are at a distance of 2²⁷ bytes and one page: <https://doi.org/10.1145/3320269.3384746>.
pub(crate) fn page_offset(parameter: usize, buffer: usize) -> usize {
    (parameter / CACHE_LINE_BYTES * CACHE_LINE_BYTES + PAGE_OFFSETS[buffer]) % PAGE_BYTES
}

/// Elements, of any type, of which an array needs as many more to be moved to its offset.
pub(crate) const PADDING_ELEMENTS: usize = PAGE_BYTES / size_of::<f32>();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{ArenaLayout, MIN_PAGE_ALIGNED_BYTES};

    #[test]
    fn arrays_of_a_parameter_lie_apart() {
        for length in [MIN_PAGE_ALIGNED_BYTES / 4, 1 << 20, 1 << 25, (1 << 25) + 3] {
            for parameter in [0, 64, 4032, 98_760] {
                let mut layout = ArenaLayout::default();
                let mut offsets = vec![parameter / CACHE_LINE_BYTES * CACHE_LINE_BYTES % PAGE_BYTES];
                for buffer in 0..MAX_BUFFERS {
                    offsets
                        .push(layout.add::<f32>(length, page_offset(parameter, buffer)).unwrap().start() % PAGE_BYTES);
                }
                offsets.push(page_offset(parameter, UPDATE_BUFFER));
                offsets.sort_unstable();
                let next = offsets.iter().cycle().skip(1);
                for (offset, next) in offsets.iter().zip(next) {
                    assert!((next + PAGE_BYTES - offset) % PAGE_BYTES >= 512, "{length} {parameter}: {offsets:?}");
                }
            }
        }
    }
}
