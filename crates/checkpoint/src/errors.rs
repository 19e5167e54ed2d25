//! Errors of files.

use stepwell_optim::{Brief, Code, Error};

/// The error of a file that the system does not read or write.
pub(crate) fn failed(verb: &str, place: &str, error: &dyn std::fmt::Display) -> Error {
    Error::new(Code::File, format!("cannot {verb} {}: {error}", Brief(place)))
}

/// The error of a file with other content than expected.
pub(crate) fn malformed(place: &str, error: &dyn std::fmt::Display) -> Error {
    Error::new(Code::Format, format!("{} is not a valid safetensors file: {error}", Brief(place)))
}
