//! Arena for state: elements of one type, many buffers of which share one allocation.

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
use crate::numeric::scalar::Plain;

/// A cache line: two buffers never share one.
pub(crate) const CACHE_LINE_BYTES: usize = 64;
pub(crate) const PAGE_BYTES: usize = 4096;
/// Buffers of as many bytes are worth a page that is not all used.
pub(crate) const MIN_PAGE_ALIGNED_BYTES: usize = 16 * PAGE_BYTES;
/// Where the system has pages of this size, large allocations lie on them and are asked to be made of them.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Elements that lie together, as in a `Vec`; of fixed number, in an allocation that buffers made together share.
pub struct Elements<T> {
    first: NonNull<T>,
    length: usize,
    /// Keeps the memory.
    #[allow(dead_code, reason = "held for its drop")]
    allocation: Arc<Allocation>,
}

// SAFETY: the elements belong to this value alone, as those of a `Vec` do; the shared allocation is only kept.
unsafe impl<T: Plain> Send for Elements<T> {}
// SAFETY: as above.
unsafe impl<T: Plain> Sync for Elements<T> {}

thread_local! {
    /// Bytes of the [`Allocation`]s of this thread.
    static LIVE_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// Bytes that the optimizers of this thread take, for their state and for what they keep during a step.
pub fn state_memory() -> usize {
    LIVE_BYTES.get()
}

/// The error of a state buffer that finds no memory.
pub(crate) fn no_memory(elements: usize) -> Error {
    Error::new(Code::Memory, format!("no memory for a state buffer of {elements} elements"))
}

/// An allocation.
struct Allocation {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: an allocation reads and writes nothing.
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
        let none = || Error::new(Code::Memory, format!("no memory for a state of {bytes} bytes"));
        let layout = Layout::from_size_align(bytes.max(CACHE_LINE_BYTES), align).map_err(|_| none())?;
        check_memory(bytes).map_err(|_| none())?;
        // SAFETY: the size is not 0.
        let start = NonNull::new(unsafe { alloc::alloc(layout) }).ok_or_else(none)?;
        let allocation = Self { start, layout };
        LIVE_BYTES.set(LIVE_BYTES.get() + layout.size());
        if bytes >= HUGE_PAGE_BYTES {
            allocation.ask_for_huge_pages();
        }
        Ok(allocation)
    }

    /// Without effect where the system has none to give: then every page of 4 KiB costs a fault and an entry of its own.
    fn ask_for_huge_pages(&self) {
        #[cfg(target_os = "linux")]
        // SAFETY: the range is ours, begins with a page and is only advised on.
        unsafe {
            libc::madvise(self.start.as_ptr().cast(), self.layout.size(), libc::MADV_HUGEPAGE);
        }
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        // Saturating, since an optimizer may be dropped by another thread.
        LIVE_BYTES.set(LIVE_BYTES.get().saturating_sub(self.layout.size()));
        // SAFETY: allocated with this layout, and nobody keeps the allocation any more.
        unsafe { alloc::dealloc(self.start.as_ptr(), self.layout) }
    }
}

/// A plan for one allocation that holds several buffers.
#[derive(Default)]
pub(crate) struct ArenaLayout {
    bytes: usize,
}

/// How many bytes to go on from `start` to an address at that offset of a page.
pub(crate) fn padding_to_offset(start: usize, page_offset: usize) -> usize {
    page_offset.wrapping_sub(start) % PAGE_BYTES
}

/// Where a buffer of an [`ArenaLayout`] will lie. It cannot be copied, so no two buffers lie in one slot.
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

/// The memory of an [`ArenaLayout`].
pub(crate) struct Arena {
    allocation: Arc<Allocation>,
}

impl ArenaLayout {
    /// Plans a buffer that begins, if it is large, at that offset of a page.
    pub(crate) fn add<T: Plain>(&mut self, length: usize, page_offset: usize) -> Result<ArenaSlot<T>> {
        let bytes =
            length.checked_mul(size_of::<T>()).and_then(|bytes| bytes.checked_next_multiple_of(CACHE_LINE_BYTES));
        let large = bytes.is_some_and(|bytes| bytes >= MIN_PAGE_ALIGNED_BYTES);
        let start = self.bytes + if large { padding_to_offset(self.bytes, page_offset) } else { 0 };
        let end = bytes.and_then(|bytes| start.checked_add(bytes)).filter(|end| isize::try_from(*end).is_ok());
        self.bytes = end.ok_or_else(|| no_memory(length))?;
        Ok(ArenaSlot { start, length, element: PhantomData })
    }

    /// Moves on, so that what is added next lies an odd number of pages behind `start`.
    ///
    /// Processors find data in their caches by some bits of its address. Where arrays that are read side by side are a
    /// power of two apart these bits are equal, and each array throws the others out: a step then takes three times as
    /// long. An odd number of pages is as far from every power of two as can be.
    pub(crate) fn stagger(&mut self, start: usize) {
        let distance = (self.bytes - start).next_multiple_of(PAGE_BYTES);
        // Small arrays fit into the caches wherever they lie.
        if distance >= HUGE_PAGE_BYTES {
            self.bytes = start + distance + if (distance / PAGE_BYTES).is_multiple_of(2) { PAGE_BYTES } else { 0 };
        }
    }

    /// Bytes of all that was added: where the next buffer will lie.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Allocates.
    pub(crate) fn allocate(self) -> Result<Arena> {
        Ok(Arena { allocation: Arc::new(Allocation::new(self.bytes)?) })
    }
}

impl Arena {
    /// The buffer of that slot, which is one of this memory's arena; every element `fill`.
    pub(crate) fn take<T: Plain>(&self, slot: ArenaSlot<T>, fill: T) -> Elements<T> {
        let ArenaSlot { start, length, .. } = slot;
        let first = if length == 0 {
            NonNull::dangling()
        } else {
            // SAFETY: the slot is within the allocation, on a line of its own, and was planned for this buffer alone. All
            // elements are written before anybody reads them.
            unsafe {
                let first = self.allocation.start.add(start).cast::<T>();
                (0..length).for_each(|i| first.add(i).write(fill));
                first
            }
        };
        Elements { first, length, allocation: Arc::clone(&self.allocation) }
    }
}

impl<T> Elements<T> {
    /// Where they begin.
    pub(crate) fn first(&self) -> NonNull<T> {
        self.first
    }
}

impl<T: Plain + Default> Elements<T> {
    /// That many zeros, in an allocation of their own.
    pub(crate) fn new(length: usize) -> Result<Self> {
        let mut layout = ArenaLayout::default();
        let slot = layout.add(length, PAGE_BYTES / 2)?;
        Ok(layout.allocate()?.take(slot, T::default()))
    }

    /// A copy of these, in an allocation of their own.
    ///
    /// # Errors
    /// [`Code::Memory`]
    pub fn copy_of(elements: &[T]) -> Result<Self> {
        let mut copy = Self::new(elements.len())?;
        copy.copy_from_slice(elements);
        Ok(copy)
    }
}

impl<T> Deref for Elements<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: that many elements, written, in memory that the allocation keeps.
        unsafe { slice::from_raw_parts(self.first.as_ptr(), self.length) }
    }
}

impl<T> DerefMut for Elements<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and nobody else has them.
        unsafe { slice::from_raw_parts_mut(self.first.as_ptr(), self.length) }
    }
}

impl<T: PartialEq> PartialEq for Elements<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: fmt::Debug> fmt::Debug for Elements<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
