//! The handling of gradients that are not finite.

use crate::error::{Code, Error};
use crate::number::Number;
use crate::options::macros::words;
use crate::state::view::View;

words! {
    /// Decides what a step does if an element of a gradient is infinite or NaN.
    pub enum NonFinite {
        /// The step runs, and NaN and infinities spread to parameters and state, as in PyTorch.
        Propagate = "propagate",
        /// The step is skipped, and changes nothing.
        Skip = "skip",
        /// The step fails, and changes nothing.
        Error = "error",
    }
}

/// The index of the first view whose gradient is not finite, and the first such element. Reads each element, since
/// squares of finite f64 may overflow.
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
            // No engine in WebAssembly has them.
            #[cfg(target_family = "wasm")]
            View::Half(..) | View::BFloat16(..) => None,
        };
        found.map(|element| (index, element))
    })
}

/// The error for a parameter whose gradient has an element that is not finite.
pub fn non_finite_gradient(name: &str, element: f64) -> Error {
    let element = Number(element);
    Error::new(
        Code::Gradient,
        format_args!("expected finite gradients, given {element} in the gradient of parameter `{name}`"),
    )
}
