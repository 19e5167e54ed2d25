//! Compositions of primitives that operations and layers share.

pub(crate) mod join;
pub(crate) mod norm;
pub(crate) mod tensor_math;
