//! Errors that more than one file gives.

use stepwell_optim::{Code, Error};
use stepwell_session::Dtype;

/// An operation that its arguments do not allow.
pub(crate) fn refused(message: impl Into<String>) -> Error {
    Error::new(Code::Engine, message)
}

/// A bug of this engine.
pub(crate) fn internal(message: &'static str) -> Error {
    Error::new(Code::Internal, message)
}

/// An operation that there is for other element types only.
pub(crate) fn wrong_dtype(expected: &str, given: Dtype) -> Error {
    Error::new(Code::Dtype, format!("expected {expected} elements, given {}", given.name()))
}

/// A tensor that a step has borrowed.
pub(crate) fn lent() -> Error {
    internal("a tensor was used while its memory was lent to a step")
}

/// A graph whose tensors were written to since.
pub(crate) fn outdated() -> Error {
    refused("backward through an outdated graph: a tensor that it needs was changed since, run the forward again")
}
