//! A pool of rows for pairs of vectors, in blocks that never move.

use std::collections::VecDeque;

use crate::error::Result;
use crate::fallible::with_capacity;
use crate::memory::no_memory;
use crate::numeric::scalar::Scalar;

/// In bytes, about; a larger row is a block of its own. A small history is one block that the first step allocates. A
/// large one grows with its pairs.
const BLOCK_BYTES: usize = 4 << 20;

/// Rows of two vectors with `width` elements each.
pub(super) struct RowPool<T> {
    width: usize,
    rows_per_block: usize,
    /// Each has capacity for all its rows from the start, so that rows never move.
    blocks: Vec<Vec<T>>,
    rows: usize,
    /// Released rows, reused in order of release.
    free: VecDeque<usize>,
}

impl<T: Scalar> RowPool<T> {
    /// A pool without rows. `expected_rows` limits the size of a block.
    pub(super) fn new(width: usize, expected_rows: usize) -> Self {
        let row_bytes = (2 * width * size_of::<T>()).max(1);
        let rows_per_block = (BLOCK_BYTES / row_bytes).min(expected_rows).max(1);
        Self { width, rows_per_block, blocks: Vec::new(), rows: 0, free: VecDeque::new() }
    }

    /// The number of elements of each vector of a pair.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Allocates a row.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory).
    pub(super) fn allocate(&mut self) -> Result<usize> {
        if let Some(row) = self.free.pop_front() {
            return Ok(row);
        }
        let length = 2 * self.width;
        let error = |_| no_memory(length);
        if self.rows == self.blocks.len() * self.rows_per_block {
            let block = with_capacity(length * self.rows_per_block)?;
            self.blocks.try_reserve(1).map_err(error)?;
            // Reserved in advance, since releasing a row must not fail.
            self.free.try_reserve(self.rows + self.rows_per_block).map_err(error)?;
            self.blocks.push(block);
        }
        if let Some(block) = self.blocks.last_mut() {
            block.resize(block.len() + length, T::default());
        }
        self.rows += 1;
        Ok(self.rows - 1)
    }

    /// Releases a row.
    pub(super) fn release(&mut self, row: usize) {
        self.free.push_back(row);
    }

    /// The vectors of a row: the difference of gradients, the difference of parameters.
    pub(super) fn pair(&self, row: usize) -> (&[T], &[T]) {
        let start = row % self.rows_per_block * 2 * self.width;
        self.blocks[row / self.rows_per_block][start..start + 2 * self.width].split_at(self.width)
    }

    /// The vectors of a row, mutable.
    pub(super) fn pair_mut(&mut self, row: usize) -> (&mut [T], &mut [T]) {
        let start = row % self.rows_per_block * 2 * self.width;
        self.blocks[row / self.rows_per_block][start..start + 2 * self.width].split_at_mut(self.width)
    }
}
