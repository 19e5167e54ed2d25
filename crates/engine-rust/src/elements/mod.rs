//! Elements of tensors: their types, and buffers of a type that is known at run time.

pub(crate) mod buffer;
mod convert;
pub(crate) mod element;
