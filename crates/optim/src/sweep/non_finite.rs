//! What a step does about gradients that are not finite.

use crate::error::{Code, Error};
use crate::number::Number;
use crate::options::macros::words;
use crate::state::view::View;

words! {
    /// What becomes of a step if an element of a gradient is infinite or not a number.
    pub enum NonFinite {
        /// It is made, and what is not finite goes into parameters and state, as with PyTorch.
        Propagate = "propagate",
        /// It is left out, and changes nothing.
        Skip = "skip",
        /// It is an error, and changes nothing.
        Error = "error",
    }
}

/// The first parameter whose gradient is not finite, by its place in the list, and an element that is not. Element by
/// element: squares may overflow where the elements, of 64 bits, do not.
pub(crate) fn first_non_finite(views: &[Option<View<'_>>]) -> Option<(usize, f64)> {
    views.iter().enumerate().find_map(|(index, view)| {
        fn first<T: Copy + Into<f64>>(elements: &[T]) -> Option<f64> {
            elements.iter().map(|element| (*element).into()).find(|element| !element.is_finite())
        }
        let found = match view.as_ref()? {
            View::Double(_, g) => first(g),
            View::Float(_, g) => first(g),
            #[cfg(not(target_family = "wasm"))]
            View::Half(_, g) => first(g),
            #[cfg(not(target_family = "wasm"))]
            View::BFloat16(_, g) => first(g),
            // There are none.
            #[cfg(target_family = "wasm")]
            View::Half(..) | View::BFloat16(..) => None,
        };
        found.map(|element| (index, element))
    })
}

/// The error of a gradient that is not finite, of a parameter of that name.
pub fn non_finite_gradient(name: &str, element: f64) -> Error {
    let element = Number(element);
    Error::new(Code::Gradient, format!("expected finite gradients, given {element} in that of parameter `{name}`"))
}
