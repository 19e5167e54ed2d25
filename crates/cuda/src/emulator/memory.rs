//! Memory of the emulator, and the ranges of host memory that its kernels may access.

use std::collections::BTreeMap;
use std::sync::Arc;

use atomic_refcell::AtomicRefCell;
use stepwell_optim::{Code, DeviceMemory, Error, Result};

/// Bytes of memory that no kernel has written. Each floating-point type reads them as NaN.
const POISON: u8 = 0xff;

/// The ranges that kernels and copies may access: lengths in bytes by address.
#[derive(Clone, Default)]
pub(super) struct Ranges(Arc<AtomicRefCell<BTreeMap<u64, u64>>>);

/// A range as the compiled kernels read it.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Range {
    start: u64,
    end: u64,
}

impl Ranges {
    pub(super) fn add(&self, address: u64, bytes: u64) {
        self.0.borrow_mut().insert(address, bytes);
    }

    pub(super) fn remove(&self, address: u64) {
        self.0.borrow_mut().remove(&address);
    }

    /// All ranges, in the order of addresses.
    pub(super) fn list(&self) -> Vec<Range> {
        self.0.borrow().iter().map(|(start, bytes)| Range { start: *start, end: start + bytes }).collect()
    }

    /// Checks that a copy stays within one range.
    pub(super) fn check(&self, address: u64, bytes: usize) -> Result<()> {
        let ranges = self.0.borrow();
        let range = ranges.range(..=address).next_back();
        if range.is_some_and(|(start, length)| address + bytes as u64 <= start + length) {
            return Ok(());
        }
        let message = format!("emulator: expected device memory, given {bytes} bytes at {address:#x}");
        Err(Error::new(Code::Internal, message))
    }
}

/// An allocation, filled with poison.
pub(super) struct EmulatorMemory {
    /// Sixteen bytes each, which aligns the memory.
    words: Vec<u128>,
    bytes: usize,
    ranges: Ranges,
}

impl EmulatorMemory {
    pub(super) fn new(bytes: usize, ranges: Ranges) -> Self {
        let words = vec![u128::from_ne_bytes([POISON; 16]); bytes.div_ceil(16).max(1)];
        ranges.add(words.as_ptr().addr() as u64, bytes as u64);
        Self { words, bytes, ranges }
    }
}

impl DeviceMemory for EmulatorMemory {
    fn address(&self) -> u64 {
        self.words.as_ptr().expose_provenance() as u64
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for EmulatorMemory {
    fn drop(&mut self) {
        self.ranges.remove(self.words.as_ptr().addr() as u64);
    }
}
