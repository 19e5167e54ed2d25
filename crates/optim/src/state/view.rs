//! Mutable slices of a parameter and its gradient, borrowed for one step.

#[cfg(not(target_family = "wasm"))]
use std::ops::Range;

use half::{bf16, f16};

/// A parameter and its gradient: dense slices of equal length and order. A step writes to the gradient only to zero it.
#[derive(Debug)]
pub enum View<'a> {
    /// f32.
    Float(&'a mut [f32], &'a mut [f32]),
    /// f64.
    Double(&'a mut [f64], &'a mut [f64]),
    /// f16, with 11 bits of precision. The step updates f32 master weights, which are state.
    Half(&'a mut [f16], &'a mut [f16]),
    /// bfloat16, with 8 bits of precision and the exponents of f32. As [`View::Half`].
    BFloat16(&'a mut [bf16], &'a mut [bf16]),
}

/// The element type of a parameter and its gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// f32.
    Float,
    /// f64.
    Double,
    /// f16.
    Half,
    /// bfloat16.
    BFloat16,
}

/// Addresses, lengths and element type of a view. Views with equal locations are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) parameter: usize,
    gradient: usize,
    /// Of parameter and gradient.
    lengths: [usize; 2],
    element: Element,
}

/// Evaluates an expression over parameter and gradient, for each element type.
macro_rules! match_view {
    ($view:expr, $p:pat, $g:pat => $value:expr) => {
        match $view {
            View::Float($p, $g) => $value,
            View::Double($p, $g) => $value,
            View::Half($p, $g) => $value,
            View::BFloat16($p, $g) => $value,
        }
    };
}

impl View<'_> {
    /// The number of elements of the parameter.
    pub fn len(&self) -> usize {
        match_view!(self, p, _ => p.len())
    }

    /// True if the parameter has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True if parameter and gradient have the same length.
    pub(crate) fn has_equal_lengths(&self) -> bool {
        match_view!(self, p, g => p.len() == g.len())
    }

    #[inline]
    pub(crate) fn element(&self) -> Element {
        match self {
            View::Float(..) => Element::Float,
            View::Double(..) => Element::Double,
            View::Half(..) => Element::Half,
            View::BFloat16(..) => Element::BFloat16,
        }
    }

    /// Sets the gradient to zero.
    pub(crate) fn zero_gradient(&mut self) {
        match_view!(self, _, g => g.fill(Default::default()));
    }

    #[inline]
    pub(crate) fn location(&self) -> Location {
        let element = self.element();
        match_view!(self, p, g => Location {
            parameter: p.as_ptr().addr(),
            gradient: g.as_ptr().addr(),
            lengths: [p.len(), g.len()],
            element,
        })
    }

    /// Pointers to parameter and gradient.
    #[inline]
    pub(crate) fn addresses(&mut self) -> (*mut u8, *mut u8) {
        match_view!(self, p, g => (p.as_mut_ptr().cast(), g.as_mut_ptr().cast()))
    }
}

#[cfg(not(target_family = "wasm"))]
impl View<'_> {
    /// True if parameter and gradient have these elements.
    pub(crate) fn contains(&self, range: &Range<usize>) -> bool {
        match_view!(self, p, g => range.end <= p.len() && range.end <= g.len())
    }

    /// The elements before a range, in it, and after it. The view contains it.
    pub(crate) fn split(self, range: &Range<usize>) -> [Self; 3] {
        match self {
            View::Float(p, g) => split(p, g, range).map(|(p, g)| View::Float(p, g)),
            View::Double(p, g) => split(p, g, range).map(|(p, g)| View::Double(p, g)),
            View::Half(p, g) => split(p, g, range).map(|(p, g)| View::Half(p, g)),
            View::BFloat16(p, g) => split(p, g, range).map(|(p, g)| View::BFloat16(p, g)),
        }
    }
}

/// Slices of parameter and gradient.
#[cfg(not(target_family = "wasm"))]
type Slices<'a, T> = (&'a mut [T], &'a mut [T]);

#[cfg(not(target_family = "wasm"))]
fn split<'a, T>(p: &'a mut [T], g: &'a mut [T], range: &Range<usize>) -> [Slices<'a, T>; 3] {
    let ((p, p_after), (g, g_after)) = (p.split_at_mut(range.end), g.split_at_mut(range.end));
    let ((p_before, p), (g_before, g)) = (p.split_at_mut(range.start), g.split_at_mut(range.start));
    [(p_before, g_before), (p, g), (p_after, g_after)]
}

impl Element {
    /// The size of an element in bytes.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn bytes(self) -> usize {
        match self {
            Element::Double => 8,
            Element::Float => 4,
            Element::Half | Element::BFloat16 => 2,
        }
    }

    /// True for types with master weights. Always false in WebAssembly, whose engine has none, so that their code is
    /// left out of the module.
    #[inline(always)]
    pub(crate) fn is_16_bit(self) -> bool {
        cfg!(not(target_family = "wasm")) && matches!(self, Element::Half | Element::BFloat16)
    }
}
