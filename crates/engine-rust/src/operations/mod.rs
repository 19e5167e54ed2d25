//! The operations. A new one needs a file, a line here, and a method in `engine.rs`.

pub(crate) mod activations;
pub(crate) mod batch_norm;
pub(crate) mod called_function;
pub(crate) mod embedding;
pub(crate) mod layer_norm;
pub(crate) mod linear;
pub(crate) mod multiply;
mod normalization;
pub(crate) mod reshape;
pub(crate) mod select;
pub(crate) mod sums;
