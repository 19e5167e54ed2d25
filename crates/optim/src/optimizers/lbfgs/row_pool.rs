//! A pool of rows for pairs of vectors, in blocks that never move.

use crate::error::Result;
use crate::memory::no_memory;
use crate::optimizers::lbfgs::vector_memory::VectorMemory;

/// In bytes, about; a larger row is a block of its own. A small history is one block that the first step allocates. A
/// large one grows with its pairs.
const BLOCK_BYTES: usize = 4 << 20;

/// Rows of two vectors with `width` elements each.
pub(super) struct RowPool<V: VectorMemory> {
    width: usize,
    rows_per_block: usize,
    /// Each has capacity for all its rows from the start, so that rows never move.
    blocks: Vec<V::Vector>,
    rows: usize,
    /// Released rows, of which the last is reused first.
    free: Vec<usize>,
}

impl<V: VectorMemory> RowPool<V> {
    /// A pool without rows. `expected_rows` limits the size of a block.
    pub(super) fn new(width: usize, expected_rows: usize) -> Self {
        let row_bytes = (2 * V::stride(width) * size_of::<V::Element>()).max(1);
        let rows_per_block = (BLOCK_BYTES / row_bytes).min(expected_rows).max(1);
        Self { width, rows_per_block, blocks: Vec::new(), rows: 0, free: Vec::new() }
    }

    /// The number of elements of each vector of a pair.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Allocates a row.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory).
    pub(super) fn allocate(&mut self, memory: &V) -> Result<usize> {
        if let Some(row) = self.free.pop() {
            return Ok(row);
        }
        let length = 2 * V::stride(self.width);
        let error = |_| no_memory(length);
        if self.rows == self.blocks.len() * self.rows_per_block {
            let mut block = V::Vector::default();
            memory.reserve(&mut block, length * self.rows_per_block)?;
            self.blocks.try_reserve(1).map_err(error)?;
            // Reserved in advance, since releasing a row must not fail.
            self.free.try_reserve(self.rows + self.rows_per_block).map_err(error)?;
            self.blocks.push(block);
        }
        if let Some(block) = self.blocks.last_mut() {
            V::resize(block, V::len(block) + length);
        }
        self.rows += 1;
        Ok(self.rows - 1)
    }

    /// Releases a row.
    pub(super) fn release(&mut self, row: usize) {
        self.free.push(row);
    }

    /// The difference of gradients of a row.
    pub(super) fn y(&self, row: usize) -> V::Ref<'_> {
        V::part(&self.blocks[row / self.rows_per_block], self.start(row), self.width)
    }

    /// The difference of parameters of a row.
    pub(super) fn s(&self, row: usize) -> V::Ref<'_> {
        let start = self.start(row) + V::stride(self.width);
        V::part(&self.blocks[row / self.rows_per_block], start, self.width)
    }

    /// The vectors of a row, mutable: the difference of gradients, the difference of parameters.
    pub(super) fn pair_mut(&mut self, row: usize) -> (V::Mut<'_>, V::Mut<'_>) {
        let start = self.start(row);
        V::pair_mut(&mut self.blocks[row / self.rows_per_block], start, self.width)
    }

    /// The first element of a row in its block.
    fn start(&self, row: usize) -> usize {
        row % self.rows_per_block * 2 * V::stride(self.width)
    }
}
