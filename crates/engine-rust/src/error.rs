//! Errors that more than one file gives.

use stepwell_optim::{Code, Error};
use stepwell_session::Dtype;

/// An operation that its arguments do not allow.
pub(crate) fn engine_error(message: impl Into<String>) -> Error {
    Error::new(Code::Engine, message)
}

/// A bug of this engine.
pub(crate) fn internal_error(message: &'static str) -> Error {
    Error::new(Code::Internal, message)
}

/// An operation that there is for other element types only.
pub(crate) fn dtype_error(expected: &str, given: Dtype) -> Error {
    Error::new(Code::Dtype, format!("expected {expected} elements, given {}", given.name()))
}

/// A dtype that no tensor of this engine has.
pub(crate) fn unsupported_dtype(dtype: Dtype) -> Error {
    let message =
        format!("dtype {} is not supported by this engine: use float, or Stepwell on Node with libtorch", dtype.name());
    Error::new(Code::Dtype, message)
}

/// A tensor that a step has borrowed.
pub(crate) fn busy_error() -> Error {
    internal_error("a tensor was used while its memory was lent to a step")
}

/// A graph whose tensors were written to since.
pub(crate) fn outdated_graph() -> Error {
    engine_error("backward through an outdated graph: a tensor that it needs was changed since, run the forward again")
}
