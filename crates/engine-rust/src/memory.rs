//! Memory of tensors: counted against a budget. An allocation beyond it is an error.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};

use stepwell_optim::fallible::{check_small_memory, out_of_memory, with_capacity};
use stepwell_optim::{Code, Error, Result, Shared, state_memory};

/// In elements. [`MemoryBudget::filled`] sets so many one by one, and then copies them, which is faster.
const BLOCK: usize = 512;

/// A limit in bytes on tensors and optimizer state together, and the bytes that tensors take now.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    limit: usize,
    /// Bytes of all live [`CountedVec`]s.
    allocated: AtomicUsize,
}

/// Elements whose bytes count against a budget until they are dropped.
#[derive(Debug)]
pub(crate) struct CountedVec<T> {
    elements: Vec<T>,
    budget: Shared<MemoryBudget>,
}

impl MemoryBudget {
    pub(crate) fn new(limit: usize) -> Shared<Self> {
        Shared::new(Self { limit, allocated: AtomicUsize::new(0) })
    }

    /// The size of the largest tensor that may be made now, in bytes. It is a quarter of the available bytes, since up to three
    /// copies of the elements exist while a tensor is made.
    pub(crate) fn tensor_limit(&self) -> usize {
        self.available() / 4
    }

    fn available(&self) -> usize {
        self.limit.saturating_sub(self.allocated.load(Ordering::Relaxed)).saturating_sub(state_memory())
    }

    /// An empty vector with capacity for `len` elements. The caller fills it to that length.
    fn allocate<T>(self: &Shared<Self>, len: usize) -> Result<CountedVec<T>> {
        let bytes = len.saturating_mul(size_of::<T>());
        if bytes > self.available() {
            return Err(out_of_memory(bytes));
        }
        check_small_memory()?;
        let elements = with_capacity(len)?;
        self.allocated.fetch_add(bytes, Ordering::Relaxed);
        Ok(CountedVec { elements, budget: Shared::clone(self) })
    }

    /// `len` elements of one value.
    pub(crate) fn filled<T: Copy>(self: &Shared<Self>, len: usize, value: T) -> Result<CountedVec<T>> {
        let mut vector = self.allocate(len)?;
        let CountedVec { elements, .. } = &mut vector;
        elements.resize(len.min(BLOCK), value);
        while elements.len() < len {
            elements.extend_from_within(..BLOCK.min(len - elements.len()));
        }
        Ok(vector)
    }

    /// `len` zeros.
    pub(crate) fn zeros<T: Copy + Default>(self: &Shared<Self>, len: usize) -> Result<CountedVec<T>> {
        self.filled(len, T::default())
    }

    /// A copy of a slice.
    pub(crate) fn copy<T: Copy>(self: &Shared<Self>, elements: &[T]) -> Result<CountedVec<T>> {
        let mut vector = self.allocate(elements.len())?;
        vector.elements.extend_from_slice(elements);
        Ok(vector)
    }

    /// The elements of an iterator of known length.
    pub(crate) fn collect<T>(self: &Shared<Self>, elements: impl ExactSizeIterator<Item = T>) -> Result<CountedVec<T>> {
        let mut vector = self.allocate(elements.len())?;
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

impl<T> Drop for CountedVec<T> {
    fn drop(&mut self) {
        // The length is constant and equals what `allocate` counted. The capacity may be larger.
        let bytes = self.elements.len() * size_of::<T>();
        self.budget.allocated.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl<T> Deref for CountedVec<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.elements
    }
}

impl<T> DerefMut for CountedVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.elements
    }
}
