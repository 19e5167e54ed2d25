//! The engine in Rust alone: tensors, and autograd. It needs no library but a matrix product, so
//! it runs in WebAssembly as well as natively. It behaves as the engine on libtorch does, down to its errors.
//!
//! An operation is a file of `operations` or `losses`, its forward calculation beside its gradient.

mod autograd;
mod elements;
mod engine;
mod error;
mod losses;
mod matrix;
mod memory;
mod operations;
mod parameter_views;

pub use autograd::tensor::Tensor;
pub use engine::RustEngine;
