//! An operand of a product.

/// A matrix over borrowed elements.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    pub(crate) elements: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) transposed: bool,
}

impl<'a> Matrix<'a> {
    /// A matrix in row-major order, or, if `transposed`, in column-major order. `None` unless `elements` has `rows * columns`
    /// elements.
    pub fn new(elements: &'a [f32], rows: usize, columns: usize, transposed: bool) -> Option<Self> {
        let fits = rows.checked_mul(columns) == Some(elements.len());
        fits.then_some(Self { elements, rows, columns, transposed })
    }
}
