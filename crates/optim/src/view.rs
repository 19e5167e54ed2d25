//! Memory of one parameter and its gradient, lent for the length of a step.

/// A parameter to be updated in place and its gradient, both dense and in the same order; of equal length. The gradient
/// is written to only by a step that is asked to set it to zero.
#[derive(Debug)]
pub enum View<'a> {
    /// 32-bit floating point.
    Float(&'a mut [f32], &'a mut [f32]),
    /// 64-bit floating point.
    Double(&'a mut [f64], &'a mut [f64]),
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

    /// True if parameter and gradient are of equal length.
    pub(crate) fn is_even(&self) -> bool {
        match self {
            View::Float(p, g) => p.len() == g.len(),
            View::Double(p, g) => p.len() == g.len(),
        }
    }

    /// Where parameter and gradient begin.
    #[inline]
    pub(crate) fn addresses(&mut self) -> (*mut u8, *mut u8) {
        match self {
            View::Float(p, g) => (p.as_mut_ptr().cast(), g.as_mut_ptr().cast()),
            View::Double(p, g) => (p.as_mut_ptr().cast(), g.as_mut_ptr().cast()),
        }
    }
}
