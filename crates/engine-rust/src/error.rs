//! Errors of more than one file.

use stepwell_optim::error::Message;
use stepwell_optim::{Code, Error};
use stepwell_session::Dtype;

/// An operation that fails because of its arguments.
pub(crate) fn engine_error(message: impl Message) -> Error {
    Error::new(Code::Engine, message)
}

/// A bug of this engine.
pub(crate) fn internal_error(message: &'static str) -> Error {
    Error::new(Code::Internal, message)
}

/// An operation that does not exist for this element type.
pub(crate) fn dtype_error(expected: &str, given: Dtype) -> Error {
    Error::new(Code::Dtype, format_args!("expected {expected} elements, given {}", given.name()))
}

/// A dtype that this engine does not support.
pub(crate) fn unsupported_dtype(dtype: Dtype) -> Error {
    let message = format_args!(
        "dtype {} is not supported by this engine: use float, or Stepwell on Node with libtorch",
        dtype.name()
    );
    Error::new(Code::Dtype, message)
}

/// Access to a tensor while a step uses a view of its memory.
pub(crate) fn busy_error() -> Error {
    internal_error("a tensor was used while a step had a view of its memory")
}

/// A graph whose saved tensors have been written to since they were saved.
pub(crate) fn outdated_graph() -> Error {
    engine_error("backward through an outdated graph: a tensor that it needs was changed since, run the forward again")
}
