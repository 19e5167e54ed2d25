//! Products in WebAssembly: explicit vectors, since the compiler does not vectorize such loops for it.

use std::arch::wasm32::{f32x4_add, f32x4_mul, f32x4_splat, v128};
use std::collections::TryReserveError;
use std::mem::transmute;
use std::ops::Range;

use crate::blocks::{Tiles, multiply};
use crate::matrix::Matrix;

/// Sums and operands of a tile fit into 16 vector registers of 4 floats, as x86-64 has.
const ROWS: usize = 4;
const COLUMNS: usize = 8;

/// Tiles of vectors of simd128.
#[derive(Clone, Copy)]
struct Simd128;

#[inline(always)]
pub(crate) fn product(
    out: &mut [f32],
    add: bool,
    left: Matrix<'_>,
    rows: Range<usize>,
    right: Matrix<'_>,
) -> Result<(), TryReserveError> {
    multiply(Simd128, out, add, left, rows, right)
}

#[inline(always)]
fn loaded(row: [f32; COLUMNS]) -> [v128; 2] {
    // SAFETY: both types have 32 bytes without padding, and all bits are values of either.
    unsafe { transmute(row) }
}

#[inline(always)]
fn stored(row: [v128; 2]) -> [f32; COLUMNS] {
    // SAFETY: as above.
    unsafe { transmute(row) }
}

fn zeros(length: usize) -> Result<Vec<f32>, TryReserveError> {
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(length)?;
    zeros.resize(length, 0.0);
    Ok(zeros)
}

impl Tiles<ROWS, COLUMNS> for Simd128 {
    /// 64 × 256 floats, 64 KiB, stay in L2.
    const BLOCK_ROWS: usize = 64;
    const BLOCK_DEPTH: usize = 256;
    /// 256 × 512 floats, 512 KiB.
    const BLOCK_COLUMNS: usize = 512;

    #[inline(always)]
    fn tile(self, left: &[f32], right: &[f32]) -> [[f32; COLUMNS]; ROWS] {
        let mut sums = [[f32x4_splat(0.0); 2]; ROWS];
        let (left, _) = left.as_chunks::<ROWS>();
        let (right, _) = right.as_chunks::<COLUMNS>();
        for (left, right) in left.iter().zip(right) {
            let right = loaded(*right);
            for (sums, left) in sums.iter_mut().zip(left) {
                let left = f32x4_splat(*left);
                sums[0] = f32x4_add(sums[0], f32x4_mul(left, right[0]));
                sums[1] = f32x4_add(sums[1], f32x4_mul(left, right[1]));
            }
        }
        sums.map(stored)
    }

    #[inline(always)]
    fn added(self, a: [f32; COLUMNS], b: [f32; COLUMNS]) -> [f32; COLUMNS] {
        let (a, b) = (loaded(a), loaded(b));
        stored([f32x4_add(a[0], b[0]), f32x4_add(a[1], b[1])])
    }

    #[inline(always)]
    fn with_blocks(
        self,
        left: usize,
        right: usize,
        run: impl FnOnce(&mut [f32], &mut [f32]),
    ) -> Result<(), TryReserveError> {
        let mut left = zeros(left)?;
        let mut right = zeros(right)?;
        run(&mut left, &mut right);
        Ok(())
    }
}
