//! Memory of tensors: counted, and refused instead of running out.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use stepwell_optim::fallible::{check_small_memory, out_of_memory, with_capacity};
use stepwell_optim::{Code, Error, Result, state_memory};

/// How many bytes tensors and the state of optimizers may take together, and how many tensors take.
#[derive(Debug)]
pub(crate) struct Meter {
    budget: usize,
    live: Cell<usize>,
}

/// Elements that count as long as they live.
#[derive(Debug)]
pub(crate) struct Vector<T> {
    elements: Vec<T>,
    meter: Rc<Meter>,
}

impl Meter {
    pub(crate) fn new(budget: usize) -> Rc<Self> {
        Rc::new(Self { budget, live: Cell::new(0) })
    }

    /// A quarter of what is left, since the numbers of a new tensor exist up to three times while it is made.
    pub(crate) fn limit(&self) -> usize {
        self.left() / 4
    }

    fn left(&self) -> usize {
        self.budget.saturating_sub(self.live.get()).saturating_sub(state_memory())
    }

    /// Room for so many elements, none of them there yet.
    fn room<T>(self: &Rc<Self>, len: usize) -> Result<Vector<T>> {
        let bytes = len.saturating_mul(size_of::<T>());
        if bytes > self.left() {
            return Err(out_of_memory(bytes));
        }
        check_small_memory()?;
        let elements = with_capacity(len)?;
        self.live.set(self.live.get() + bytes);
        Ok(Vector { elements, meter: Rc::clone(self) })
    }

    /// All elements the same.
    pub(crate) fn filled<T: Copy>(self: &Rc<Self>, len: usize, value: T) -> Result<Vector<T>> {
        let mut vector = self.room(len)?;
        vector.elements.resize(len, value);
        Ok(vector)
    }

    /// Zeros.
    pub(crate) fn zeros<T: Copy + Default>(self: &Rc<Self>, len: usize) -> Result<Vector<T>> {
        self.filled(len, T::default())
    }

    /// A copy.
    pub(crate) fn copy<T: Copy>(self: &Rc<Self>, elements: &[T]) -> Result<Vector<T>> {
        self.each(elements.iter().copied())
    }

    /// The elements of an iterator that knows how many it has.
    pub(crate) fn each<T>(self: &Rc<Self>, elements: impl ExactSizeIterator<Item = T>) -> Result<Vector<T>> {
        let mut vector = self.room(elements.len())?;
        vector.elements.extend(elements);
        Ok(vector)
    }
}

/// The number of elements of a shape.
pub(crate) fn elements(shape: &[usize]) -> Result<usize> {
    let product = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    product.ok_or_else(|| Error::new(Code::Memory, format!("out of memory allocating a tensor of shape {shape:?}")))
}

impl<T> Drop for Vector<T> {
    fn drop(&mut self) {
        // The capacity can be larger than what was counted; the length cannot change.
        let bytes = self.elements.len() * size_of::<T>();
        self.meter.live.set(self.meter.live.get().saturating_sub(bytes));
    }
}

impl<T> Deref for Vector<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.elements
    }
}

impl<T> DerefMut for Vector<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.elements
    }
}
