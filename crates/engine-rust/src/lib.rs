//! The engine in Rust alone: tensors, and a tape that computes gradients. It needs no library but a matrix product, so
//! it runs in WebAssembly as well as natively. It behaves as the engine on libtorch does, down to its errors.
//!
//! An operation is a file of `operations` or `losses`, its forward calculation beside its gradient.

mod buffer;
mod element;
mod engine;
mod error;
mod lend;
mod losses;
mod matrix;
mod memory;
mod operations;
mod tape;
mod tensor;

pub use engine::RustEngine;
pub use tensor::Tensor;
