//! Memory of one parameter and its gradient, lent for the length of a step.

/// A parameter to be updated in place and its gradient, both dense and in the same order; of equal length.
#[derive(Debug)]
pub enum View<'a> {
    /// 32-bit floating point.
    Float(&'a mut [f32], &'a [f32]),
    /// 64-bit floating point.
    Double(&'a mut [f64], &'a [f64]),
}

impl View<'_> {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            View::Float(p, _) => p.len(),
            View::Double(p, _) => p.len(),
        }
    }

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
