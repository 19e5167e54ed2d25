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

/// `left [m, k]` times `right [k, n]` into `out [m, n]`.
pub(crate) fn multiply<T: Real>(out: &mut [T], into: Into, left: Matrix<'_, T>, right: Matrix<'_, T>) -> Result<()> {
    let (m, k, n) = (left.rows, left.columns, right.columns);
    if !left.fits() || !right.fits() || right.rows != k || m.checked_mul(n) != Some(out.len()) {
        return Err(internal("matrices that do not fit"));
    }
    if out.is_empty() {
        return Ok(());
    }
    if k == 0 {
        if into == Into::Place {
            out.fill(T::ZERO);
        }
        return Ok(());
    }
    let (left_column, left_row) = left.strides();
    let (right_column, right_row) = right.strides();
    let keep = into == Into::Sum;
    // SAFETY: the slices have as many elements as the matrices, as checked, the strides stay inside of them, and `out`
    // is borrowed by nobody else.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            keep,
            left.elements.as_ptr(),
            left_column,
            left_row,
            right.elements.as_ptr(),
            right_column,
            right_row,
            if keep { T::ONE } else { T::ZERO },
            T::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
    Ok(())
}
