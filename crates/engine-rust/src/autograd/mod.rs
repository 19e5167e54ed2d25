//! Tensors, the graph that operations record, and the backward pass through it.

pub(crate) mod backward_pass;
pub(crate) mod tensor;
