//! The storage of tensors: elements with a version.

use std::sync::atomic::{AtomicU64, Ordering};

use stepwell_optim::{Result, Shared, SharedCell, SharedRef, SharedRefMut};

use crate::elements::buffer::Buffer;
use crate::error::busy_error;

/// Elements that tensors may share, and a version: the number of writes.
#[derive(Debug)]
pub(crate) struct Storage {
    buffer: SharedCell<Buffer>,
    version: AtomicU64,
}

impl Storage {
    pub(crate) fn new(buffer: Buffer) -> Shared<Self> {
        Shared::new(Self { buffer: SharedCell::new(buffer), version: AtomicU64::new(0) })
    }

    pub(crate) fn read(&self) -> Result<SharedRef<'_, Buffer>> {
        self.buffer.try_borrow().map_err(|_| busy_error())
    }

    /// The elements, mutable. Bumps the version.
    pub(crate) fn write(&self) -> Result<SharedRefMut<'_, Buffer>> {
        let buffer = self.buffer.try_borrow_mut().map_err(|_| busy_error())?;
        self.bump();
        Ok(buffer)
    }

    /// The elements, mutable, for a write that does not bump the version in PyTorch either.
    pub(crate) fn write_uncounted(&self) -> Result<SharedRefMut<'_, Buffer>> {
        self.buffer.try_borrow_mut().map_err(|_| busy_error())
    }

    /// Increases the version, so that graphs that have saved the elements are outdated.
    pub(crate) fn bump(&self) {
        self.version.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }
}
