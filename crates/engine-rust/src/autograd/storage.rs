//! The storage of tensors: elements with a version.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::rc::Rc;

use stepwell_optim::Result;

use crate::elements::buffer::Buffer;
use crate::error::busy_error;

/// Elements that tensors may share, and a version: the number of writes.
#[derive(Debug)]
pub(crate) struct Storage {
    buffer: RefCell<Buffer>,
    version: Cell<u64>,
}

impl Storage {
    pub(crate) fn new(buffer: Buffer) -> Rc<Self> {
        Rc::new(Self { buffer: RefCell::new(buffer), version: Cell::new(0) })
    }

    pub(crate) fn read(&self) -> Result<Ref<'_, Buffer>> {
        self.buffer.try_borrow().map_err(|_| busy_error())
    }

    /// The elements, mutable. Bumps the version.
    pub(crate) fn write(&self) -> Result<RefMut<'_, Buffer>> {
        let buffer = self.buffer.try_borrow_mut().map_err(|_| busy_error())?;
        self.bump();
        Ok(buffer)
    }

    /// The elements, mutable, for a write that does not bump the version in PyTorch either.
    pub(crate) fn write_uncounted(&self) -> Result<RefMut<'_, Buffer>> {
        self.buffer.try_borrow_mut().map_err(|_| busy_error())
    }

    /// Increases the version, so that graphs that have saved the elements are outdated.
    pub(crate) fn bump(&self) {
        self.version.set(self.version.get().wrapping_add(1));
    }

    pub(crate) fn version(&self) -> u64 {
        self.version.get()
    }
}
