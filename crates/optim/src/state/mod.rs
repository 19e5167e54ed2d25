//! State of a parameter, and the views of its memory.

pub(crate) mod buffer;
pub(crate) mod view;
