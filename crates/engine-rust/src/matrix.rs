//! Matrix multiplication.

#[cfg(not(target_family = "wasm"))]
use std::ops::Range;
#[cfg(not(target_family = "wasm"))]
use std::sync::atomic::{AtomicBool, Ordering};

use stepwell_optim::{Code, Error, Result};

use crate::error::internal_error;
#[cfg(not(target_family = "wasm"))]
use crate::parallel::{in_parts, threads};

/// Rows of whole tiles of each instruction set.
#[cfg(not(target_family = "wasm"))]
const TILE_ROWS: usize = 24;
/// Products of two elements; about 40 µs. For less work, waking a thread and waiting for it may take longer.
#[cfg(not(target_family = "wasm"))]
const PART: usize = 1 << 21;

/// A matrix in row-major order, or the transpose of one, over borrowed elements.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    elements: &'a [T],
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a, T> Matrix<'a, T> {
    /// A matrix of `rows` times `columns` elements.
    pub(crate) fn new(elements: &'a [T], rows: usize, columns: usize) -> Self {
        Self { elements, rows, columns, transposed: false }
    }

    /// The transpose, over the same elements.
    pub(crate) fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    fn fits(&self) -> bool {
        self.rows.checked_mul(self.columns) == Some(self.elements.len())
    }

    fn at(&self, row: usize, column: usize) -> T
    where
        T: Copy,
    {
        self.elements[if self.transposed { column * self.rows + row } else { row * self.columns + column }]
    }
}

/// How a product is written to its output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Replaces the elements.
    Overwrite,
    /// Is added to the elements.
    Accumulate,
}

/// An element type with a product of matrices.
pub(crate) trait Product: Copy + Default + Send + Sync + 'static {
    /// Multiplies matrices whose shapes fit and which are not empty. Called by [`multiply`].
    fn product(out: &mut [Self], output: Output, left: Matrix<'_, Self>, right: Matrix<'_, Self>) -> Result<()>;
}

/// Writes `left [m, k]` times `right [k, n]` to `out [m, n]`. Fails before any access if the shapes do not fit.
pub(crate) fn multiply<T: Product>(
    out: &mut [T],
    output: Output,
    left: Matrix<'_, T>,
    right: Matrix<'_, T>,
) -> Result<()> {
    if !fit(out, &left, &right) {
        return Err(shape_error());
    }
    if out.is_empty() {
        return Ok(());
    }
    if left.columns == 0 {
        if output == Output::Overwrite {
            out.fill(T::default());
        }
        return Ok(());
    }
    T::product(out, output, left, right)
}

fn memory_error() -> Error {
    Error::new(Code::Memory, "out of memory multiplying matrices")
}

fn shape_error() -> Error {
    internal_error("shapes of matrices that do not fit")
}

fn fit<T>(out: &[T], left: &Matrix<'_, T>, right: &Matrix<'_, T>) -> bool {
    let fits = left.fits() && right.fits() && left.columns == right.rows;
    fits && left.rows.checked_mul(right.columns) == Some(out.len())
}

/// Calls `product` with the rows of `out [m, n]`, in parts for several threads. False means that memory is missing.
#[cfg(not(target_family = "wasm"))]
fn each_row(
    out: &mut [f32],
    m: usize,
    k: usize,
    n: usize,
    product: impl Fn(Range<usize>, &mut [f32]) -> bool + Sync,
) -> Result<()> {
    // Each part packs all of the right matrix, so there are as many parts as threads.
    let rows =
        m.div_ceil(threads::used()).next_multiple_of(TILE_ROWS).max((PART / (k * n)).next_multiple_of(TILE_ROWS));
    let is_done = AtomicBool::new(true);
    in_parts(out, rows * n, |start, out| {
        let first = start / n;
        if !product(first..first + out.len() / n, out) {
            is_done.store(false, Ordering::Relaxed);
        }
    })?;
    if is_done.into_inner() { Ok(()) } else { Err(memory_error()) }
}

/// In single precision, for training: blocked for the caches, in the crate stepwell-matrix.
impl Product for f32 {
    fn product(out: &mut [f32], output: Output, left: Matrix<'_, f32>, right: Matrix<'_, f32>) -> Result<()> {
        fn operand(m: Matrix<'_, f32>) -> Result<stepwell_matrix::Matrix<'_>> {
            stepwell_matrix::Matrix::new(m.elements, m.rows, m.columns, m.transposed).ok_or_else(shape_error)
        }
        #[cfg(not(target_family = "wasm"))]
        let (m, k, n) = (left.rows, left.columns, right.columns);
        let (left, right) = (operand(left)?, operand(right)?);
        let add = output == Output::Accumulate;
        #[cfg(target_family = "wasm")]
        return stepwell_matrix::multiply(out, add, left, right).map_err(|_| memory_error());
        #[cfg(not(target_family = "wasm"))]
        each_row(out, m, k, n, |rows, out| stepwell_matrix::multiply_rows(out, add, left, rows, right).is_ok())
    }
}

/// Integers, which wrap: simple loops.
impl Product for i64 {
    fn product(out: &mut [i64], output: Output, left: Matrix<'_, i64>, right: Matrix<'_, i64>) -> Result<()> {
        for (i, out) in out.chunks_exact_mut(right.columns).enumerate() {
            for (j, out) in out.iter_mut().enumerate() {
                let start = if output == Output::Overwrite { 0 } else { *out };
                let products = (0..left.columns).map(|k| left.at(i, k).wrapping_mul(right.at(k, j)));
                *out = products.fold(start, i64::wrapping_add);
            }
        }
        Ok(())
    }
}

/// In double precision, for tests of gradients: simple loops.
impl Product for f64 {
    fn product(out: &mut [f64], output: Output, left: Matrix<'_, f64>, right: Matrix<'_, f64>) -> Result<()> {
        if output == Output::Overwrite {
            out.fill(0.0);
        }
        for (i, out) in out.chunks_exact_mut(right.columns).enumerate() {
            if right.transposed {
                for (out, column) in out.iter_mut().zip(right.elements.chunks_exact(right.rows)) {
                    *out += column.iter().enumerate().map(|(k, b)| left.at(i, k) * b).sum::<f64>();
                }
            } else {
                for (k, row) in right.elements.chunks_exact(right.columns).enumerate() {
                    let a = left.at(i, k);
                    out.iter_mut().zip(row).for_each(|(out, b)| *out += a * b);
                }
            }
        }
        Ok(())
    }
}
