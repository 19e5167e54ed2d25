//! Tensors, the graph that operations record, and the backward pass through it.

pub(crate) mod backward;
mod backward_pass;
pub(crate) mod graph;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod reaches;
pub(crate) mod storage;
pub(crate) mod tensor;
#[cfg(test)]
mod tests;
