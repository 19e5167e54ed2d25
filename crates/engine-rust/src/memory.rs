//! Memory of tensors: counted against a budget. An allocation beyond it is an error.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(not(target_family = "wasm"))]
use stepwell_optim::fallible::{MIN_CHECKED_BYTES, check_memory};
use stepwell_optim::fallible::{check_small_memory, out_of_memory, with_capacity};
use stepwell_optim::{Code, Error, Result, Shared, state_memory};

/// In elements. [`MemoryBudget::filled`] sets so many one by one, and then copies them, which is faster.
const BLOCK: usize = 512;

/// A limit in bytes on tensors and optimizer state together, and the bytes that tensors take now.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    limit: usize,
    #[cfg(not(target_family = "wasm"))]
    kept: std::sync::Mutex<crate::kept::Kept>,
    /// Bytes of small tensors since memory was asked for.
    #[cfg(not(target_family = "wasm"))]
    small: AtomicUsize,
    /// Bytes of all live [`CountedVec`]s.
    allocated: AtomicUsize,
}

/// Elements whose bytes count against a budget until they are dropped.
#[derive(Debug)]
pub(crate) struct CountedVec<T: 'static> {
    elements: Vec<T>,
    budget: Shared<MemoryBudget>,
}

impl MemoryBudget {
    pub(crate) fn new(limit: usize) -> Shared<Self> {
        Shared::new(Self {
            limit,
            #[cfg(not(target_family = "wasm"))]
            kept: Default::default(),
            #[cfg(not(target_family = "wasm"))]
            small: AtomicUsize::new(0),
            allocated: AtomicUsize::new(0),
        })
    }

    /// The size of the largest tensor that may be made now, in bytes. It is a quarter of the available bytes, since up to three
    /// copies of the elements exist while a tensor is made.
    pub(crate) fn tensor_limit(&self) -> usize {
        self.available() / 4
    }

    /// The bytes that tensors take now.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn allocated(&self) -> usize {
        self.allocated.load(Ordering::Relaxed)
    }

    fn available(&self) -> usize {
        self.limit.saturating_sub(self.allocated.load(Ordering::Relaxed)).saturating_sub(state_memory())
    }

    /// An empty vector with capacity for `len` elements. The caller fills it to that length.
    fn allocate<T: 'static>(self: &Shared<Self>, len: usize) -> Result<CountedVec<T>> {
        let bytes = len.saturating_mul(size_of::<T>());
        if bytes > self.available() {
            return Err(out_of_memory(bytes));
        }
        check_small_memory()?;
        #[cfg(not(target_family = "wasm"))]
        self.ask_for_small(bytes)?;
        #[cfg(not(target_family = "wasm"))]
        // A statement of its own, since new memory takes the lock again.
        let kept = self.kept().take(len, self.allocated.load(Ordering::Relaxed));
        #[cfg(not(target_family = "wasm"))]
        let elements = kept.map_or_else(|| self.new_memory(len), Ok)?;
        #[cfg(target_family = "wasm")]
        let elements = with_capacity(len)?;
        self.allocated.fetch_add(bytes, Ordering::Relaxed);
        Ok(CountedVec { elements, budget: Shared::clone(self) })
    }

    /// `len` elements of one value.
    pub(crate) fn filled<T: Copy + 'static>(self: &Shared<Self>, len: usize, value: T) -> Result<CountedVec<T>> {
        let mut vector = self.allocate(len)?;
        let CountedVec { elements, .. } = &mut vector;
        #[cfg(not(target_family = "wasm"))]
        elements.fill(value);
        elements.resize(len.min(BLOCK).max(elements.len()), value);
        while elements.len() < len {
            elements.extend_from_within(..BLOCK.min(len - elements.len()));
        }
        Ok(vector)
    }

    /// `len` zeros.
    pub(crate) fn zeros<T: Copy + Default + 'static>(self: &Shared<Self>, len: usize) -> Result<CountedVec<T>> {
        self.filled(len, T::default())
    }

    /// `len` elements of any values, which the caller overwrites.
    #[inline(always)]
    pub(crate) fn any<T: Copy + Default + 'static>(self: &Shared<Self>, len: usize) -> Result<CountedVec<T>> {
        #[cfg(not(target_family = "wasm"))]
        {
            let mut vector = self.allocate(len)?;
            vector.elements.resize(len, T::default());
            Ok(vector)
        }
        #[cfg(target_family = "wasm")]
        self.zeros(len)
    }

    #[cfg(not(target_family = "wasm"))]
    fn kept(&self) -> std::sync::MutexGuard<'_, crate::kept::Kept> {
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Asks for memory for many small tensors at once, which do not ask themselves.
    #[cfg(not(target_family = "wasm"))]
    fn ask_for_small(&self, bytes: usize) -> Result<()> {
        /// In bytes, of the objects around the elements.
        const AROUND: usize = 256;
        if bytes >= MIN_CHECKED_BYTES {
            return Ok(());
        }
        let sum = self.small.load(Ordering::Relaxed) + bytes + AROUND;
        if sum < MIN_CHECKED_BYTES {
            self.small.store(sum, Ordering::Relaxed);
            return Ok(());
        }
        // If it is refused, the next small tensor asks again.
        check_memory(sum)?;
        self.small.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// New memory for `len` elements. Frees what is kept if there is no more.
    #[cfg(not(target_family = "wasm"))]
    fn new_memory<T>(&self, len: usize) -> Result<Vec<T>> {
        with_capacity(len).or_else(|error| if self.kept().clear() { with_capacity(len) } else { Err(error) })
    }

    /// A copy of a slice.
    pub(crate) fn copy<T: Copy + 'static>(self: &Shared<Self>, elements: &[T]) -> Result<CountedVec<T>> {
        let mut vector = self.allocate(elements.len())?;
        #[cfg(not(target_family = "wasm"))]
        vector.elements.clear();
        vector.elements.extend_from_slice(elements);
        Ok(vector)
    }

    /// The elements of an iterator of known length.
    pub(crate) fn collect<T: 'static>(
        self: &Shared<Self>,
        elements: impl ExactSizeIterator<Item = T>,
    ) -> Result<CountedVec<T>> {
        let mut vector = self.allocate(elements.len())?;
        #[cfg(not(target_family = "wasm"))]
        vector.elements.clear();
        vector.elements.extend(elements);
        Ok(vector)
    }
}

/// The number of elements of a shape. Fails if the product of the sizes overflows.
pub(crate) fn element_count(shape: &[usize]) -> Result<usize> {
    let product = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    product
        .ok_or_else(|| Error::new(Code::Memory, format_args!("out of memory allocating a tensor of shape {shape:?}")))
}

impl<T: 'static> Drop for CountedVec<T> {
    fn drop(&mut self) {
        // The length is constant and equals what `allocate` counted. The capacity may be larger.
        let bytes = self.elements.len() * size_of::<T>();
        self.budget.allocated.fetch_sub(bytes, Ordering::Relaxed);
        // A budget does not count what is kept, so an engine with one keeps nothing.
        #[cfg(not(target_family = "wasm"))]
        if self.budget.limit == usize::MAX {
            self.budget.kept().keep(std::mem::take(&mut self.elements));
        }
    }
}

impl<T: 'static> Deref for CountedVec<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.elements
    }
}

impl<T: 'static> DerefMut for CountedVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.elements
    }
}
