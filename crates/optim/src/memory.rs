//! Memory for state: arrays of fixed length, many of which share one allocation.

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::slice;
use std::sync::Arc;

use crate::error::{Code, Error, Result};
use crate::fallible::check_memory;
use crate::numeric::scalar::Pod;

/// In bytes. Buffers start at a cache line, so that no two of them share one.
pub(crate) const CACHE_LINE_BYTES: usize = 64;
pub(crate) const PAGE_BYTES: usize = 4096;
/// In bytes. Larger buffers start at a page offset of their own; the padding of up to a page is then small in
/// comparison.
pub(crate) const MIN_PAGE_ALIGNED_BYTES: usize = 16 * PAGE_BYTES;
/// In bytes. Allocations of at least this size are aligned to it, and backed by huge pages if the system has them. The allocator
/// zeroes them: it takes such a size from the system, whose pages are zeros. They are first touched by the thread that uses them.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// An array of fixed length, in an allocation that it shares with the arrays made together with it.
pub struct ArenaArray<T> {
    first: NonNull<T>,
    length: usize,
    /// Keeps the allocation alive.
    #[allow(dead_code, reason = "held for its drop")]
    allocation: Arc<Allocation>,
}

// SAFETY: this value alone owns the elements, as a `Vec` does. It only keeps the shared allocation alive.
unsafe impl<T: Pod> Send for ArenaArray<T> {}
// SAFETY: as above.
unsafe impl<T: Pod> Sync for ArenaArray<T> {}

thread_local! {
    /// Bytes of this thread's [`Allocation`]s, less those that it has freed for another thread.
    static LIVE_BYTES: Cell<isize> = const { Cell::new(0) };
}

/// Bytes that the optimizers of this thread have allocated, for state and for update buffers.
pub fn state_memory() -> usize {
    usize::try_from(LIVE_BYTES.get()).unwrap_or(0)
}

/// Takes the count of this thread for the thread that has its optimizers from now on. Negative if this thread has freed more than
/// it has allocated.
#[cfg(not(target_family = "wasm"))]
pub fn take_state_memory() -> i64 {
    LIVE_BYTES.replace(0) as i64
}

/// The error of a failed allocation of a state buffer.
pub(crate) fn no_memory(elements: usize) -> Error {
    Error::new(Code::Memory, format_args!("no memory for a state buffer of {elements} elements"))
}

/// Memory from the global allocator.
struct Allocation {
    start: NonNull<u8>,
    layout: Layout,
    /// The bytes before `start` in the memory of the allocator, which does not align zeroed memory. `None` unless it is zeroed.
    #[cfg(not(target_family = "wasm"))]
    zeroed_after: Option<usize>,
}

// SAFETY: an allocation does not access its memory.
unsafe impl Send for Allocation {}
// SAFETY: as above.
unsafe impl Sync for Allocation {}

impl Allocation {
    fn new(bytes: usize) -> Result<Self> {
        let align = match bytes {
            HUGE_PAGE_BYTES.. => HUGE_PAGE_BYTES,
            MIN_PAGE_ALIGNED_BYTES.. => PAGE_BYTES,
            _ => CACHE_LINE_BYTES,
        };
        let none = || Error::new(Code::Memory, format_args!("no memory for a state of {bytes} bytes"));
        let layout = Layout::from_size_align(bytes.max(CACHE_LINE_BYTES), align).map_err(|_| none())?;
        check_memory(bytes).ok().ok_or_else(none)?;
        let allocation = Self::of_layout(layout).ok_or_else(none)?;
        LIVE_BYTES.set(LIVE_BYTES.get() + layout.size() as isize);
        if bytes >= HUGE_PAGE_BYTES {
            allocation.ask_for_huge_pages();
        }
        Ok(allocation)
    }

    #[cfg(target_family = "wasm")]
    fn of_layout(layout: Layout) -> Option<Self> {
        // SAFETY: the size is not 0.
        let start = NonNull::new(unsafe { alloc::alloc(layout) })?;
        Some(Self { start, layout })
    }

    #[cfg(not(target_family = "wasm"))]
    fn of_layout(layout: Layout) -> Option<Self> {
        let Some(zeroed) = Self::zeroed_layout(layout) else {
            // SAFETY: the size is not 0.
            let start = NonNull::new(unsafe { alloc::alloc(layout) })?;
            return Some(Self { start, layout, zeroed_after: None });
        };
        // SAFETY: as above.
        let first = NonNull::new(unsafe { alloc::alloc_zeroed(zeroed) })?;
        let before = first.align_offset(layout.align());
        // SAFETY: the memory is larger than the layout by its alignment.
        Some(Self { start: unsafe { first.add(before) }, layout, zeroed_after: Some(before) })
    }

    /// The layout that is asked of the allocator for zeroed memory. It is larger by the alignment: an allocator that aligns writes the
    /// zeros itself.
    #[cfg(not(target_family = "wasm"))]
    fn zeroed_layout(layout: Layout) -> Option<Layout> {
        let is_large = layout.size() >= HUGE_PAGE_BYTES;
        if is_large { Layout::from_size_align(layout.size().checked_add(layout.align())?, 1).ok() } else { None }
    }

    /// Whether every byte is zero until it is written.
    fn is_zeroed(&self) -> bool {
        #[cfg(target_family = "wasm")]
        return false;
        #[cfg(not(target_family = "wasm"))]
        self.zeroed_after.is_some()
    }

    /// Asks the kernel for huge pages. Without them, every page of 4 KiB costs a page fault and a TLB entry.
    fn ask_for_huge_pages(&self) {
        #[cfg(target_os = "linux")]
        // SAFETY: this value owns the range, which starts at a page boundary, and the call only gives advice.
        unsafe {
            libc::madvise(self.start.as_ptr().cast(), self.layout.size(), libc::MADV_HUGEPAGE);
        }
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        LIVE_BYTES.set(LIVE_BYTES.get() - self.layout.size() as isize);
        #[cfg(not(target_family = "wasm"))]
        if let (Some(before), Some(zeroed)) = (self.zeroed_after, Self::zeroed_layout(self.layout)) {
            // SAFETY: the memory of the allocator starts so many bytes before, has this layout, and no array refers to it.
            unsafe { alloc::dealloc(self.start.as_ptr().sub(before), zeroed) }
            return;
        }
        // SAFETY: allocated with this layout, and no array refers to the allocation.
        unsafe { alloc::dealloc(self.start.as_ptr(), self.layout) }
    }
}

/// The layout of one allocation that holds several buffers.
#[derive(Default)]
pub(crate) struct ArenaLayout {
    bytes: usize,
}

/// The number of bytes from `start` to the next address with this page offset.
pub(crate) fn padding_to_offset(start: usize, page_offset: usize) -> usize {
    page_offset.wrapping_sub(start) % PAGE_BYTES
}

/// The place of a buffer in an [`Arena`]. Not `Copy`, so that no two buffers share it.
pub(crate) struct ArenaSlot<T> {
    start: usize,
    length: usize,
    element: PhantomData<T>,
}

#[cfg(test)]
impl<T> ArenaSlot<T> {
    pub(crate) fn start(&self) -> usize {
        self.start
    }
}

/// The allocation of an [`ArenaLayout`].
pub(crate) struct Arena {
    allocation: Arc<Allocation>,
}

impl ArenaLayout {
    /// Plans a buffer. If it is large, it starts at this page offset.
    pub(crate) fn add<T: Pod>(&mut self, length: usize, page_offset: usize) -> Result<ArenaSlot<T>> {
        let bytes =
            length.checked_mul(size_of::<T>()).and_then(|bytes| bytes.checked_next_multiple_of(CACHE_LINE_BYTES));
        let large = bytes.is_some_and(|bytes| bytes >= MIN_PAGE_ALIGNED_BYTES);
        let start = self.bytes + if large { padding_to_offset(self.bytes, page_offset) } else { 0 };
        let end = bytes.and_then(|bytes| start.checked_add(bytes)).filter(|end| isize::try_from(*end).is_ok());
        self.bytes = end.ok_or_else(|| no_memory(length))?;
        Ok(ArenaSlot { start, length, element: PhantomData })
    }

    /// Adds padding, so that the distance from `start` to the next buffer is an odd number of pages.
    ///
    /// Arrays that are read together and are a power of two apart map to the same cache sets. The conflict misses make
    /// a step take three times as long. An odd number of pages is far from every power of two.
    pub(crate) fn stagger(&mut self, start: usize) {
        let distance = (self.bytes - start).next_multiple_of(PAGE_BYTES);
        // Small arrays fit into the caches at any distance.
        if distance >= HUGE_PAGE_BYTES {
            self.bytes = start + distance + if (distance / PAGE_BYTES).is_multiple_of(2) { PAGE_BYTES } else { 0 };
        }
    }

    /// The planned bytes, which are the start of the next buffer.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Allocates.
    pub(crate) fn allocate(self) -> Result<Arena> {
        Ok(Arena { allocation: Arc::new(Allocation::new(self.bytes)?) })
    }
}

/// Whether all bits are 0. -0 has one that is not.
fn is_zero<T: Pod>(number: &T) -> bool {
    // SAFETY: a number has no padding, and its bytes are borrowed as long as it is.
    unsafe { slice::from_raw_parts(std::ptr::from_ref(number).cast::<u8>(), size_of::<T>()) }
        .iter()
        .all(|byte| *byte == 0)
}

impl Arena {
    /// Takes a planned buffer of this arena and sets every element to `fill`.
    pub(crate) fn take<T: Pod>(&self, slot: ArenaSlot<T>, fill: T) -> ArenaArray<T> {
        let ArenaSlot { start, length, .. } = slot;
        let first = if length == 0 {
            NonNull::dangling()
        } else {
            // SAFETY: the slot is within the allocation, aligned to a cache line, and planned for this buffer alone.
            // All elements are written before the first read, unless they are zeros from the start.
            unsafe {
                let first = self.allocation.start.add(start).cast::<T>();
                if !(self.allocation.is_zeroed() && is_zero(&fill)) {
                    (0..length).for_each(|i| first.add(i).write(fill));
                }
                first
            }
        };
        ArenaArray { first, length, allocation: Arc::clone(&self.allocation) }
    }
}

impl<T> ArenaArray<T> {
    /// Pointer to the first element.
    pub(crate) fn first(&self) -> NonNull<T> {
        self.first
    }
}

impl<T: Pod + Default> ArenaArray<T> {
    /// An array of zeros, in its own allocation. If it is large, it starts at this page offset. If it has huge pages, it
    /// starts after `pages` more pages, since each such allocation starts at the same cache set.
    pub(crate) fn new(length: usize, page_offset: usize, pages: usize) -> Result<Self> {
        let has_huge_pages = length.saturating_mul(size_of::<T>()) >= HUGE_PAGE_BYTES;
        let mut layout = ArenaLayout { bytes: if has_huge_pages { pages * PAGE_BYTES } else { 0 } };
        let slot = layout.add(length, page_offset)?;
        Ok(layout.allocate()?.take(slot, T::default()))
    }
}

impl<T> Deref for ArenaArray<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the allocation holds `length` initialized elements from `first`.
        unsafe { slice::from_raw_parts(self.first.as_ptr(), self.length) }
    }
}

impl<T> DerefMut for ArenaArray<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and this value owns the elements.
        unsafe { slice::from_raw_parts_mut(self.first.as_ptr(), self.length) }
    }
}

impl<T: PartialEq> PartialEq for ArenaArray<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: fmt::Debug> fmt::Debug for ArenaArray<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_have_their_first_elements_also_where_others_were_before() {
        // Below and above the size that the allocator zeroes. The zeros come last, in memory that the heap has had before.
        for bytes in [MIN_PAGE_ALIGNED_BYTES, HUGE_PAGE_BYTES] {
            for fill in [1.5_f32, -0.0, 0.0] {
                let before = state_memory();
                let mut layout = ArenaLayout::default();
                let slots = [layout.add::<f32>(bytes / 4, 0).unwrap(), layout.add(5, 0).unwrap()];
                let arena = layout.allocate().unwrap();
                assert_eq!(arena.allocation.start.as_ptr().addr() % arena.allocation.layout.align(), 0);
                assert!(state_memory() >= before + bytes);
                let mut arrays = slots.map(|slot| arena.take(slot, fill));
                assert!(
                    arrays.iter().all(|array| array.iter().all(|x| x.to_bits() == fill.to_bits())),
                    "{bytes} {fill}"
                );
                arrays.iter_mut().for_each(|array| array.fill(7.0));
                drop((arrays, arena));
                assert_eq!(state_memory(), before);
            }
        }
    }
}
