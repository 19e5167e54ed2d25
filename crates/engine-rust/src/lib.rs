//! The engine in Rust alone: tensors with autograd. It needs no native library, so it runs in WebAssembly. It behaves as the
//! engine on libtorch does, with the same errors.
//!
//! An operation is a file of `operations` or `losses`, which holds its forward and its backward. A family of primitives is a file
//! of `primitives`.

mod autograd;
mod elements;
mod engine;
mod error;
#[cfg(not(target_family = "wasm"))]
mod kept;
mod losses;
mod matrix;
mod memory;
mod operations;
#[cfg(not(target_family = "wasm"))]
mod parallel;
mod parameter_views;
mod primitives;

pub use autograd::tensor::Tensor;
pub use engine::RustEngine;
/// The engine of an addon that is built with this crate.
#[cfg(not(target_family = "wasm"))]
pub type NativeEngine = RustEngine;
