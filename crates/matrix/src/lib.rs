//! Matrix multiplication in f32, on which training of dense and convolutional layers spends its time.
//!
//! Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication": blocks of both matrices are packed in the order
//! in which they are read. A block is small enough to stay in a cache while all products with it are computed.

pub mod elementwise;

use std::collections::TryReserveError;
use std::ops::Range;

use vectors::{added, tile};

/// Rows and columns of a tile of the product. Its sums and operands fit into 16 vector registers of 4 floats, as x86-64 has.
const TILE: [usize; 2] = [4, 8];
/// Rows of a packed block of the left matrix: 64 × 256 floats, 64 KiB, stay in L2.
const BLOCK_ROWS: usize = 64;
/// Columns of a left block and rows of a right block: the number of products in one sum of a tile.
const BLOCK_DEPTH: usize = 256;
/// Columns of a packed block of the right matrix: 256 × 512 floats, 512 KiB.
const BLOCK_COLUMNS: usize = 512;

/// A matrix over borrowed elements.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    elements: &'a [f32],
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    /// A matrix in row-major order, or, if `transposed`, in column-major order. `None` unless `elements` has `rows * columns`
    /// elements.
    pub fn new(elements: &'a [f32], rows: usize, columns: usize, transposed: bool) -> Option<Self> {
        let fits = rows.checked_mul(columns) == Some(elements.len());
        fits.then_some(Self { elements, rows, columns, transposed })
    }
}

/// Sets `out [m, n]` to `left [m, k]` times `right [k, n]`, or adds the product if `add`. Without effect if the shapes do not fit.
///
/// # Errors
/// If the memory of the two packed blocks, at most 576 KiB, cannot be allocated.
// Inlined into a caller that is compiled for size, it would be compiled for size too.
#[inline(never)]
pub fn multiply(out: &mut [f32], add: bool, left: Matrix<'_>, right: Matrix<'_>) -> Result<(), TryReserveError> {
    let (rows, depth, columns) = (left.rows, left.columns, right.columns);
    if right.rows != depth || rows.checked_mul(columns) != Some(out.len()) {
        return Ok(());
    }
    if depth == 0 && !add {
        out.fill(0.0);
    }
    let max_depth = depth.min(BLOCK_DEPTH);
    let mut left_block = zeros(max_depth * rows.min(BLOCK_ROWS).next_multiple_of(TILE[0]))?;
    let mut right_block = zeros(max_depth * columns.min(BLOCK_COLUMNS).next_multiple_of(TILE[1]))?;
    for across in blocks(columns, BLOCK_COLUMNS) {
        for along in blocks(depth, BLOCK_DEPTH) {
            let right_size = along.len() * across.len().next_multiple_of(TILE[1]);
            let right_block = &mut right_block[..right_size];
            pack::<{ TILE[1] }>(right_block, right, !right.transposed, across.clone(), along.clone());
            for down in blocks(rows, BLOCK_ROWS) {
                let left_size = along.len() * down.len().next_multiple_of(TILE[0]);
                let left_block = &mut left_block[..left_size];
                pack::<{ TILE[0] }>(left_block, left, left.transposed, down.clone(), along.clone());
                let block = Block {
                    left: left_block,
                    right: right_block,
                    depth: along.len(),
                    replaces: !add && along.start == 0,
                };
                block.write(out, columns, down, across.clone());
            }
        }
    }
    Ok(())
}

fn zeros(length: usize) -> Result<Vec<f32>, TryReserveError> {
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(length)?;
    zeros.resize(length, 0.0);
    Ok(zeros)
}

fn blocks(length: usize, max: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length).step_by(max).map(move |start| start..length.min(start + max))
}

/// Packs a block of a matrix into strips of `WIDTH` lines. A line is a row of the left or a column of the right matrix.
///
/// `across` is the range of lines, `along` the range within each. A strip stores the first elements of its lines, then the second
/// ones, and so on. Lines that the last strip lacks are 0. If `side_by_side`, equal elements of neighboring lines are adjacent in
/// the source; otherwise the elements of a line are.
fn pack<const WIDTH: usize>(
    to: &mut [f32],
    from: Matrix<'_>,
    side_by_side: bool,
    across: Range<usize>,
    along: Range<usize>,
) {
    let width = if from.transposed { from.rows } else { from.columns };
    for (strip, to) in to.chunks_exact_mut(WIDTH * along.len()).enumerate() {
        let first = across.start + strip * WIDTH;
        let lines = first..across.end.min(first + WIDTH);
        let (to, _) = to.as_chunks_mut::<WIDTH>();
        if lines.len() < WIDTH {
            to.fill([0.0; WIDTH]);
        }
        if side_by_side {
            for (to, position) in to.iter_mut().zip(along.clone()) {
                let row = &from.elements[position * width..][lines.clone()];
                if let Ok(row) = <&[f32; WIDTH]>::try_from(row) {
                    *to = *row;
                } else {
                    to[..row.len()].copy_from_slice(row);
                }
            }
        } else {
            for (lane, line) in lines.enumerate() {
                let line = &from.elements[line * width..][along.clone()];
                for (to, x) in to.iter_mut().zip(line) {
                    to[lane] = *x;
                }
            }
        }
    }
}

/// The product of two packed blocks.
struct Block<'a> {
    left: &'a [f32],
    right: &'a [f32],
    depth: usize,
    /// Whether the product replaces the elements of the output, or is added to them.
    replaces: bool,
}

impl Block<'_> {
    /// Writes the product to rows `down` and columns `across` of `out`.
    fn write(&self, out: &mut [f32], width: usize, down: Range<usize>, across: Range<usize>) {
        let strips = self.right.chunks_exact(self.depth * TILE[1]);
        for (right, column) in strips.zip(across.clone().step_by(TILE[1])) {
            let columns = column..across.end.min(column + TILE[1]);
            let strips = self.left.chunks_exact(self.depth * TILE[0]);
            for (left, row) in strips.zip(down.clone().step_by(TILE[0])) {
                let sums = tile(left, right);
                for (sums, row) in sums.into_iter().zip(row..down.end) {
                    let out = &mut out[row * width..][columns.clone()];
                    if let Ok(out) = <&mut [f32; TILE[1]]>::try_from(&mut *out) {
                        *out = if self.replaces { sums } else { added(*out, sums) };
                    } else {
                        let pairs = out.iter_mut().zip(sums);
                        pairs.for_each(|(out, sum)| *out = if self.replaces { sum } else { *out + sum });
                    }
                }
            }
        }
    }
}

/// Explicit vectors, since the compiler does not vectorize the loops of the other module for WebAssembly.
#[cfg(target_arch = "wasm32")]
mod vectors {
    use std::arch::wasm32::{f32x4_add, f32x4_mul, f32x4_splat, v128};
    use std::mem::transmute;

    use super::TILE;

    fn loaded(row: [f32; TILE[1]]) -> [v128; 2] {
        // SAFETY: both types have 32 bytes without padding, and all bits are values of either.
        unsafe { transmute(row) }
    }

    fn stored(row: [v128; 2]) -> [f32; TILE[1]] {
        // SAFETY: as above.
        unsafe { transmute(row) }
    }

    /// The product of two strips.
    #[inline(always)]
    pub(super) fn tile(left: &[f32], right: &[f32]) -> [[f32; TILE[1]]; TILE[0]] {
        let mut sums = [[f32x4_splat(0.0); 2]; TILE[0]];
        let (left, _) = left.as_chunks::<{ TILE[0] }>();
        let (right, _) = right.as_chunks::<{ TILE[1] }>();
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
    pub(super) fn added(a: [f32; TILE[1]], b: [f32; TILE[1]]) -> [f32; TILE[1]] {
        let (a, b) = (loaded(a), loaded(b));
        stored([f32x4_add(a[0], b[0]), f32x4_add(a[1], b[1])])
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod vectors {
    use super::TILE;

    /// The product of two strips.
    #[inline(always)]
    pub(super) fn tile(left: &[f32], right: &[f32]) -> [[f32; TILE[1]]; TILE[0]] {
        let mut sums = [[0.0; TILE[1]]; TILE[0]];
        let (left, _) = left.as_chunks::<{ TILE[0] }>();
        let (right, _) = right.as_chunks::<{ TILE[1] }>();
        for (left, right) in left.iter().zip(right) {
            for (sums, left) in sums.iter_mut().zip(left) {
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum += left * right;
                }
            }
        }
        sums
    }

    #[inline(always)]
    pub(super) fn added(a: [f32; TILE[1]], b: [f32; TILE[1]]) -> [f32; TILE[1]] {
        std::array::from_fn(|i| a[i] + b[i])
    }
}

#[cfg(test)]
mod tests {
    use super::{Matrix, multiply};

    /// Small integers, whose sums are exact.
    fn numbers(count: usize, factor: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * factor) % 17) as f32 - 8.0).collect()
    }

    #[test]
    fn products_equal_the_definition() {
        for [m, k, n] in
            [[1, 1, 1], [4, 3, 8], [5, 7, 9], [65, 257, 17], [3, 600, 1030], [130, 1, 2], [2, 5, 0], [3, 0, 2]]
        {
            let (left, right) = (numbers(m * k, 7), numbers(k * n, 5));
            for (by_columns, add) in [(0, false), (1, false), (2, true), (3, true)] {
                let (left_by_columns, right_by_columns) = (by_columns & 1 == 1, by_columns & 2 == 2);
                let at_left = |i, l| left[if left_by_columns { l * m + i } else { i * k + l }];
                let at_right = |l, j| right[if right_by_columns { j * k + l } else { l * n + j }];
                let mut out = numbers(m * n, 3);
                let expected: Vec<f32> = (0..m * n)
                    .map(|at| {
                        let product: f32 = (0..k).map(|l| at_left(at / n, l) * at_right(l, at % n)).sum();
                        if add { out[at] + product } else { product }
                    })
                    .collect();
                let left = Matrix::new(&left, m, k, left_by_columns).unwrap();
                let right = Matrix::new(&right, k, n, right_by_columns).unwrap();
                multiply(&mut out, add, left, right).unwrap();
                assert_eq!(out, expected, "{m} {k} {n} {by_columns}");
            }
        }
    }

    #[test]
    fn shapes_that_do_not_fit_change_nothing() {
        assert!(Matrix::new(&[1.0; 5], 2, 3, false).is_none());
        let matrix = |rows| Matrix::new(&[1.0; 6], rows, 6 / rows, false).unwrap();
        let mut out = [5.0; 4];
        multiply(&mut out, false, matrix(2), matrix(2)).unwrap();
        multiply(&mut out, false, matrix(3), matrix(2)).unwrap();
        assert_eq!(out, [5.0; 4]);
    }
}
