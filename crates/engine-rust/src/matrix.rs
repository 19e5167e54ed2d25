//! The product of matrices.

use gemm::Parallelism;
use stepwell_optim::Result;

use crate::element::Real;
use crate::error::internal;

/// A matrix over elements in row-major order, or the transpose of one.
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

    /// Its transpose.
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

    /// Distance of two columns, and of two rows.
    fn strides(&self) -> (isize, isize) {
        if self.transposed { (self.rows as isize, 1) } else { (1, self.columns as isize) }
    }
}

/// What becomes of what is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    /// It is overwritten.
    Place,
    /// It is added to.
    Sum,
}

/// `left [m, k]` times `right [k, n]` into `out [m, n]`. An error, and no access, where they do not fit.
pub(crate) fn multiply<T: Real>(out: &mut [T], into: Into, left: Matrix<'_, T>, right: Matrix<'_, T>) -> Result<()> {
    if !fit(out, &left, &right) {
        return Err(internal("matrices that do not fit"));
    }
    if out.is_empty() {
        return Ok(());
    }
    if left.columns == 0 {
        if into == Into::Place {
            out.fill(T::ZERO);
        }
        return Ok(());
    }
    T::product(out, into, left, right);
    Ok(())
}

fn fit<T>(out: &[T], left: &Matrix<'_, T>, right: &Matrix<'_, T>) -> bool {
    let fits = left.fits() && right.fits() && left.columns == right.rows;
    fits && left.rows.checked_mul(right.columns) == Some(out.len())
}

/// The product of matrices that fit and are not empty, in floats: what training runs on.
pub(crate) fn fast_product(out: &mut [f32], into: Into, left: Matrix<'_, f32>, right: Matrix<'_, f32>) {
    if !fit(out, &left, &right) {
        return;
    }
    let (left_column, left_row) = left.strides();
    let (right_column, right_row) = right.strides();
    let keep = into == Into::Sum;
    // SAFETY: the slices have as many elements as the matrices, as just checked, the strides stay inside of them,
    // and `out` is borrowed by nobody else.
    unsafe {
        gemm::gemm(
            left.rows,
            right.columns,
            left.columns,
            out.as_mut_ptr(),
            1,
            right.columns as isize,
            keep,
            left.elements.as_ptr(),
            left_column,
            left_row,
            right.elements.as_ptr(),
            right_column,
            right_row,
            if keep { 1.0 } else { 0.0 },
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// The same in doubles, which are there to be exact: gemm's kernels for them are a seventh of the whole library.
pub(crate) fn plain_product(out: &mut [f64], into: Into, left: Matrix<'_, f64>, right: Matrix<'_, f64>) {
    if into == Into::Place {
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
}
