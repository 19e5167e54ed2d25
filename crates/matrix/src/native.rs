//! Products on a processor: tiles of the widest vectors that it has, chosen at run time.

use std::cell::Cell;
use std::collections::TryReserveError;
use std::marker::PhantomData;
use std::ops::Range;

use stepwell_optim::{InstructionSet, SimdKernel};

use crate::blocks::{Tiles, multiply};
use crate::matrix::Matrix;
use crate::vector::Vector;

pub(crate) fn product(
    out: &mut [f32],
    add: bool,
    left: Matrix<'_>,
    rows: Range<usize>,
    right: Matrix<'_>,
) -> Result<(), TryReserveError> {
    with_instructions(InstructionSet::best(), out, add, left, rows, right)
}

/// As [`product`], with this instruction set.
pub(crate) fn with_instructions(
    instructions: InstructionSet,
    out: &mut [f32],
    add: bool,
    left: Matrix<'_>,
    rows: Range<usize>,
    right: Matrix<'_>,
) -> Result<(), TryReserveError> {
    macro_rules! run {
        ($vector:ty, $rows:literal, $vectors:literal, $columns:literal) => {
            instructions.run(Product {
                out,
                add,
                left,
                rows,
                right,
                tiles: OfVectors::<$vector, $rows, $vectors, $columns>(PhantomData),
            })
        };
    }
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{__m128, __m256, __m512};
        // Sums, a row of the right strip and an element of the left one fit into 32, 16 and 16 registers.
        match instructions.vector_bits() {
            512 => run!(__m512, 8, 2, 32),
            256 => run!(__m256, 6, 2, 16),
            _ => run!(__m128, 4, 2, 8),
        }
    }
    #[cfg(target_arch = "aarch64")]
    run!(std::arch::aarch64::float32x4_t, 8, 2, 8)
}

struct Product<'a, T> {
    out: &'a mut [f32],
    add: bool,
    left: Matrix<'a>,
    rows: Range<usize>,
    right: Matrix<'a>,
    tiles: T,
}

/// Tiles of `ROWS` times `VECTORS` vectors, which have `COLUMNS` elements.
struct OfVectors<V, const ROWS: usize, const VECTORS: usize, const COLUMNS: usize>(PhantomData<V>);

impl<V, const ROWS: usize, const VECTORS: usize, const COLUMNS: usize> Clone for OfVectors<V, ROWS, VECTORS, COLUMNS> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<V, const ROWS: usize, const VECTORS: usize, const COLUMNS: usize> Copy for OfVectors<V, ROWS, VECTORS, COLUMNS> {}

impl<V: Vector, const ROWS: usize, const VECTORS: usize, const COLUMNS: usize> SimdKernel
    for Product<'_, OfVectors<V, ROWS, VECTORS, COLUMNS>>
{
    type Output = Result<(), TryReserveError>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        multiply(self.tiles, self.out, self.add, self.left, self.rows, self.right)
    }
}

thread_local! {
    /// The memory of the blocks of a thread, kept from product to product.
    static BLOCKS: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

impl<V: Vector, const ROWS: usize, const VECTORS: usize, const COLUMNS: usize> Tiles<ROWS, COLUMNS>
    for OfVectors<V, ROWS, VECTORS, COLUMNS>
{
    /// At most 128 × 256 floats, 128 KiB.
    const BLOCK_ROWS: usize = 16 * ROWS;
    const BLOCK_DEPTH: usize = 256;
    /// 256 × 512 floats, 512 KiB.
    const BLOCK_COLUMNS: usize = 512;

    #[inline(always)]
    fn tile(self, left: &[f32], right: &[f32]) -> [[f32; COLUMNS]; ROWS] {
        const { assert!(V::LANES * VECTORS == COLUMNS) };
        // SAFETY: the kernel runs with the instruction set of its vectors.
        let mut sums = [[unsafe { V::splat(0.0) }; VECTORS]; ROWS];
        let (left, _) = left.as_chunks::<ROWS>();
        let (right, _) = right.as_chunks::<COLUMNS>();
        for (left, right) in left.iter().zip(right) {
            let mut row = [sums[0][0]; VECTORS];
            for (i, row) in row.iter_mut().enumerate() {
                // SAFETY: as above, and a row has so many vectors.
                *row = unsafe { V::load(right.as_ptr().add(i * V::LANES)) };
            }
            for (sums, left) in sums.iter_mut().zip(left) {
                // SAFETY: as above.
                let left = unsafe { V::splat(*left) };
                for (sum, right) in sums.iter_mut().zip(row) {
                    // SAFETY: as above.
                    *sum = unsafe { sum.add_product(left, right) };
                }
            }
        }
        let mut out = [[0.0; COLUMNS]; ROWS];
        for (out, sums) in out.iter_mut().zip(sums) {
            for (i, sum) in sums.into_iter().enumerate() {
                // SAFETY: as above.
                unsafe { sum.store(out.as_mut_ptr().add(i * V::LANES)) };
            }
        }
        out
    }

    #[inline(always)]
    fn added(self, a: [f32; COLUMNS], b: [f32; COLUMNS]) -> [f32; COLUMNS] {
        let mut sums = a;
        sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += b);
        sums
    }

    #[inline(always)]
    fn with_blocks(
        self,
        left: usize,
        right: usize,
        run: impl FnOnce(&mut [f32], &mut [f32]),
    ) -> Result<(), TryReserveError> {
        let mut memory = BLOCKS.take();
        let size = left + right;
        if memory.len() < size {
            memory.try_reserve_exact(size - memory.len())?;
            memory.resize(size, 0.0);
        }
        let (left, right) = memory[..size].split_at_mut(left);
        run(left, right);
        BLOCKS.set(memory);
        Ok(())
    }
}
