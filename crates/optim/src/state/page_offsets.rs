//! Page offsets that keep the arrays of a parameter apart, to avoid false dependencies and cache conflicts.

use crate::error::Result;
use crate::memory::{ArenaArray, CACHE_LINE_BYTES, PAGE_BYTES};
use crate::numeric::scalar::Pod;
use crate::state::param_state::MAX_BUFFERS;

/// In bytes. Distances of the state buffers, and then of the update buffer, from the page offset of their parameter.
const PAGE_OFFSETS: [usize; MAX_BUFFERS + 1] = [2048, 3072, 1024, 2560, 3584, 1536];

/// Index of the update buffer in [`PAGE_OFFSETS`].
pub(crate) const UPDATE_BUFFER: usize = MAX_BUFFERS;

/// The page offset of the array with index `buffer`, for a parameter at address `parameter`.
///
/// Distinct offsets avoid two costs (decision 0012):
/// - 4 KiB aliasing. A load that follows a store with a similar page offset waits for it. State at the page offset of
///   its parameter makes a step take up to 1.5 times as long. libtorch places large tensors 64 bytes after a page
///   boundary.
/// - Conflict misses in AMD's L1 cache, whose way predictor hashes addresses. Two lines with equal page offsets and
///   equal hashes evict each other, for example at a distance of 2²⁷ bytes and one page
///   (<https://doi.org/10.1145/3320269.3384746>).
pub(crate) fn page_offset(parameter: usize, buffer: usize) -> usize {
    (parameter / CACHE_LINE_BYTES * CACHE_LINE_BYTES + PAGE_OFFSETS[buffer]) % PAGE_BYTES
}

/// In bytes. The page offset that restored state assumes for its parameter, whose address is not known yet: the one of
/// libtorch's large tensors.
const ASSUMED_PARAMETER_OFFSET: usize = CACHE_LINE_BYTES;

impl<T: Pod + Default> ArenaArray<T> {
    /// A copy of a slice in its own allocation, for the buffer of a restored state with this index. The copies of one
    /// parameter have the page offsets of new state, and differ by whole pages in addition.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::error::Code::Memory)
    pub fn copy_of(elements: &[T], buffer_index: usize) -> Result<Self> {
        let mut copy = Self::zeros(elements.len(), buffer_index)?;
        copy.copy_from_slice(elements);
        Ok(copy)
    }

    /// Zeros in their own allocation, placed as [`ArenaArray::copy_of`] places a copy.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::error::Code::Memory)
    #[inline(always)]
    pub(crate) fn zeros(length: usize, buffer_index: usize) -> Result<Self> {
        Self::new(length, page_offset(ASSUMED_PARAMETER_OFFSET, buffer_index), buffer_index)
    }
}

/// In elements of any type. Extra length of an array that is to start at a page offset.
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

    #[test]
    fn copies_of_state_have_the_page_offsets_of_new_state() {
        const HUGE_PAGE_BYTES: usize = 2 << 20;
        for length in [MIN_PAGE_ALIGNED_BYTES / 4, (1 << 20) + 3] {
            let elements = vec![1.5_f32; length];
            let copies: Vec<_> = (0..MAX_BUFFERS).map(|index| ArenaArray::copy_of(&elements, index).unwrap()).collect();
            let mut pages = Vec::new();
            for (index, copy) in copies.iter().enumerate() {
                let address = copy.as_ptr().addr();
                assert_eq!(address % PAGE_BYTES, page_offset(CACHE_LINE_BYTES, index), "{length} {index}");
                assert_eq!(copy[..], elements);
                pages.push(address % HUGE_PAGE_BYTES / PAGE_BYTES);
            }
            if length * 4 >= HUGE_PAGE_BYTES {
                pages.sort_unstable();
                pages.dedup();
                assert_eq!(pages.len(), MAX_BUFFERS, "{pages:?}");
            }
        }
    }
}
