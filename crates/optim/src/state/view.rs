//! Memory of one parameter and its gradient, lent for the length of a step.

use half::{bf16, f16};

/// A parameter to be updated in place and its gradient, both dense and in the same order; of equal length. The gradient
/// is written to only by a step that is asked to set it to zero.
#[derive(Debug)]
pub enum View<'a> {
    /// 32-bit floating point.
    Float(&'a mut [f32], &'a mut [f32]),
    /// 64-bit floating point.
    Double(&'a mut [f64], &'a mut [f64]),
    /// 16-bit floating point with 11 bits of precision. The step works on 32-bit master weights, which are state.
    Half(&'a mut [f16], &'a mut [f16]),
    /// 16-bit floating point with 8 bits of precision and the range of 32 bits. As [`View::Half`].
    BFloat16(&'a mut [bf16], &'a mut [bf16]),
}

/// The element type of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Float,
    Double,
    Half,
    BFloat16,
}

/// Where the elements of a view lie, and how many of which type: views with the same are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) parameter: usize,
    gradient: usize,
    /// Of each of the two.
    lengths: [usize; 2],
    element: Element,
}

/// Evaluates an expression over parameter and gradient of any type.
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
    /// The number of elements.
    pub fn len(&self) -> usize {
        match_view!(self, p, _ => p.len())
    }

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True if parameter and gradient are of equal length.
    pub(crate) fn is_even(&self) -> bool {
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

    /// Where parameter and gradient begin.
    #[inline]
    pub(crate) fn addresses(&mut self) -> (*mut u8, *mut u8) {
        match_view!(self, p, g => (p.as_mut_ptr().cast(), g.as_mut_ptr().cast()))
    }
}

impl Element {
    /// True for the types whose parameters have master weights. In WebAssembly no engine has them, and so the module has
    /// nothing of what is done for them.
    #[inline(always)]
    pub(crate) fn is_reduced(self) -> bool {
        cfg!(not(target_family = "wasm")) && matches!(self, Element::Half | Element::BFloat16)
    }
}
