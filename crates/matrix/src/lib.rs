//! The product of matrices of `f32`: what training spends its time on.
//!
//! Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication": blocks of both matrices are copied into
//! the order in which they are read, so small that they stay in the caches while all products with them are made.

use std::collections::TryReserveError;
use std::ops::Range;

/// A tile of the product: its sums fit into the 16 vector registers that most machines have, beside what is multiplied.
const TILE: [usize; 2] = [4, 8];
/// Rows of the left matrix, products of a sum, and columns of the right matrix in a block.
const ROWS: usize = 64;
const DEPTH: usize = 256;
const COLUMNS: usize = 512;

/// A matrix over elements that somebody else owns.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    elements: &'a [f32],
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    /// A matrix in row-major order, or, if it is `transposed`, in column-major order. `None` where there are not as many
    /// elements as rows and columns say.
    pub fn new(elements: &'a [f32], rows: usize, columns: usize, transposed: bool) -> Option<Self> {
        let fits = rows.checked_mul(columns) == Some(elements.len());
        fits.then_some(Self { elements, rows, columns, transposed })
    }
}

/// Sets `out [m, n]` to `left [m, k]` times `right [k, n]`, or adds it. Without effect where the three do not fit.
///
/// # Errors
/// Where there is no memory for the copies of two blocks, at most 600 kB.
pub fn multiply(out: &mut [f32], add: bool, left: Matrix<'_>, right: Matrix<'_>) -> Result<(), TryReserveError> {
    let (rows, depth, columns) = (left.rows, left.columns, right.columns);
    if right.rows != depth || rows.checked_mul(columns) != Some(out.len()) {
        return Ok(());
    }
    if !add {
        out.fill(0.0);
    }
    let most_depth = depth.min(DEPTH);
    let mut left_block = room(most_depth * rows.min(ROWS).next_multiple_of(TILE[0]))?;
    let mut right_block = room(most_depth * columns.min(COLUMNS).next_multiple_of(TILE[1]))?;
    for across in blocks(columns, COLUMNS) {
        for along in blocks(depth, DEPTH) {
            let right_size = along.len() * across.len().next_multiple_of(TILE[1]);
            let right_block = &mut right_block[..right_size];
            copy::<{ TILE[1] }>(right_block, right, !right.transposed, across.clone(), along.clone());
            for down in blocks(rows, ROWS) {
                let left_size = along.len() * down.len().next_multiple_of(TILE[0]);
                let left_block = &mut left_block[..left_size];
                copy::<{ TILE[0] }>(left_block, left, left.transposed, down.clone(), along.clone());
                add_block(out, columns, down, across.clone(), left_block, right_block, along.len());
            }
        }
    }
    Ok(())
}

fn room(length: usize) -> Result<Vec<f32>, TryReserveError> {
    let mut room = Vec::new();
    room.try_reserve_exact(length)?;
    room.resize(length, 0.0);
    Ok(room)
}

fn blocks(length: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length).step_by(most).map(move |start| start..length.min(start + most))
}

/// Copies lines `across` of a matrix, from `along` to `along`: strips of `WIDTH` lines, of each strip the first elements,
/// the second ones, and so on. Lines that are missing in the last strip are 0. `side_by_side`: elements of neighbouring
/// lines lie together; else, those of a line.
fn copy<const WIDTH: usize>(
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
            for (place, line) in lines.enumerate() {
                let line = &from.elements[line * width..][along.clone()];
                for (to, x) in to.iter_mut().zip(line) {
                    to[place] = *x;
                }
            }
        }
    }
}

/// Adds the product of two blocks to rows `down` and columns `across` of `out`.
fn add_block(
    out: &mut [f32],
    width: usize,
    down: Range<usize>,
    across: Range<usize>,
    left: &[f32],
    right: &[f32],
    depth: usize,
) {
    for (right, column) in right.chunks_exact(depth * TILE[1]).zip(across.clone().step_by(TILE[1])) {
        let columns = column..across.end.min(column + TILE[1]);
        for (left, row) in left.chunks_exact(depth * TILE[0]).zip(down.clone().step_by(TILE[0])) {
            let sums = tile(left, right);
            for (sums, row) in sums.iter().zip(row..down.end) {
                let out = &mut out[row * width..][columns.clone()];
                out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
            }
        }
    }
}

/// The product of two strips, in vectors that the compiler does not find here by itself.
#[cfg(target_arch = "wasm32")]
#[inline(always)]
fn tile(left: &[f32], right: &[f32]) -> [[f32; TILE[1]]; TILE[0]] {
    use std::arch::wasm32::{f32x4, f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat};
    let zero = f32x4_splat(0.0);
    let mut sums = [[zero; 2]; TILE[0]];
    let (left, _) = left.as_chunks::<{ TILE[0] }>();
    let (right, _) = right.as_chunks::<{ TILE[1] }>();
    for (left, r) in left.iter().zip(right) {
        let right = [f32x4(r[0], r[1], r[2], r[3]), f32x4(r[4], r[5], r[6], r[7])];
        for (sums, left) in sums.iter_mut().zip(left) {
            let left = f32x4_splat(*left);
            sums[0] = f32x4_add(sums[0], f32x4_mul(left, right[0]));
            sums[1] = f32x4_add(sums[1], f32x4_mul(left, right[1]));
        }
    }
    sums.map(|[a, b]| {
        [
            f32x4_extract_lane::<0>(a),
            f32x4_extract_lane::<1>(a),
            f32x4_extract_lane::<2>(a),
            f32x4_extract_lane::<3>(a),
            f32x4_extract_lane::<0>(b),
            f32x4_extract_lane::<1>(b),
            f32x4_extract_lane::<2>(b),
            f32x4_extract_lane::<3>(b),
        ]
    })
}

/// The product of two strips.
#[cfg(not(target_arch = "wasm32"))]
#[inline(always)]
fn tile(left: &[f32], right: &[f32]) -> [[f32; TILE[1]]; TILE[0]] {
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

#[cfg(test)]
mod tests {
    use super::{Matrix, multiply};

    /// Whole numbers, whose sums are exact.
    fn numbers(count: usize, factor: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * factor) % 17) as f32 - 8.0).collect()
    }

    #[test]
    fn products_are_those_of_the_definition() {
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
    fn what_does_not_fit_is_left_alone() {
        assert!(Matrix::new(&[1.0; 5], 2, 3, false).is_none());
        let matrix = |rows| Matrix::new(&[1.0; 6], rows, 6 / rows, false).unwrap();
        let mut out = [5.0; 4];
        multiply(&mut out, false, matrix(2), matrix(2)).unwrap();
        multiply(&mut out, false, matrix(3), matrix(2)).unwrap();
        assert_eq!(out, [5.0; 4]);
    }
}
