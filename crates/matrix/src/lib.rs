//! Matrix multiplication in f32, on which training of dense and convolutional layers spends its time.
//!
//! Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication": blocks of both matrices are packed in the order
//! in which they are read. A block is small enough to stay in a cache while all products with it are computed.

mod blocks;
pub mod elementwise;
mod matrix;
#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(not(target_arch = "wasm32"))]
mod vector;
#[cfg(target_arch = "wasm32")]
mod wasm;

use std::collections::TryReserveError;
use std::ops::Range;

pub use matrix::Matrix;
#[cfg(not(target_arch = "wasm32"))]
use native::product;
#[cfg(target_arch = "wasm32")]
use wasm::product;

/// Sets `out [m, n]` to `left [m, k]` times `right [k, n]`, or adds the product if `add`. Without effect if the shapes do not fit.
///
/// # Errors
/// If the memory of the two packed blocks, at most 576 KiB, cannot be allocated.
// Inlined into a caller that is compiled for size, it would be compiled for size too.
#[inline(never)]
pub fn multiply(out: &mut [f32], add: bool, left: Matrix<'_>, right: Matrix<'_>) -> Result<(), TryReserveError> {
    multiply_rows(out, add, left, 0..left.rows, right)
}

/// As [`multiply`] for some rows of `left`, of which `out` has the products.
///
/// # Errors
/// As of [`multiply`].
#[inline(always)]
pub fn multiply_rows(
    out: &mut [f32],
    add: bool,
    left: Matrix<'_>,
    rows: Range<usize>,
    right: Matrix<'_>,
) -> Result<(), TryReserveError> {
    if right.rows != left.columns || rows.end > left.rows || rows.len().checked_mul(right.columns) != Some(out.len()) {
        return Ok(());
    }
    if left.columns == 0 && !add {
        out.fill(0.0);
    }
    product(out, add, left, rows, right)
}

#[cfg(test)]
mod tests {
    use stepwell_optim::InstructionSet;

    use super::native::with_instructions;
    use super::{Matrix, multiply};

    /// Small integers, whose sums are exact.
    fn numbers(count: usize, factor: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * factor) % 17) as f32 - 8.0).collect()
    }

    #[test]
    fn products_equal_the_definition() {
        for [m, k, n] in [
            [1, 1, 1],
            [2, 130, 70],
            [4, 300, 33],
            [4, 3, 8],
            [5, 7, 9],
            [65, 257, 17],
            [3, 600, 1030],
            [130, 1, 2],
            [2, 5, 0],
            [3, 0, 2],
        ] {
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
                let before = out.clone();
                multiply(&mut out, add, left, right).unwrap();
                assert_eq!(out, expected, "{m} {k} {n} {by_columns}");
                // Without products, `multiply_rows` sets zeros itself.
                for set in InstructionSet::available().iter().filter(|_| k > 0) {
                    // In two parts, as two threads have them.
                    out.copy_from_slice(&before);
                    let (upper, lower) = out.split_at_mut(m / 2 * n);
                    with_instructions(*set, upper, add, left, 0..m / 2, right).unwrap();
                    with_instructions(*set, lower, add, left, m / 2..m, right).unwrap();
                    assert_eq!(out, expected, "{set}: {m} {k} {n} {by_columns}");
                }
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
