//! Elements that tensors share, and how often they were written to.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::rc::Rc;

use stepwell_optim::Result;

use crate::elements::buffer::Buffer;
use crate::error::busy_error;

/// Elements, and how often they were written to.
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

    /// The elements to be written to, which is counted.
    pub(crate) fn write(&self) -> Result<RefMut<'_, Buffer>> {
        let buffer = self.buffer.try_borrow_mut().map_err(|_| busy_error())?;
        self.bump();
        Ok(buffer)
    }

    /// The elements to be written to by an operation that PyTorch does not count.
    pub(crate) fn write_uncounted(&self) -> Result<RefMut<'_, Buffer>> {
        self.buffer.try_borrow_mut().map_err(|_| busy_error())
    }

    /// Makes graphs that need the elements as they are outdated.
    pub(crate) fn bump(&self) {
        self.version.set(self.version.get().wrapping_add(1));
    }

    pub(crate) fn version(&self) -> u64 {
        self.version.get()
    }
}
