//! The engine on libtorch, through tch and a small C++ shim.
//!
//! libtorch must be in the process before the first call; whether it has CUDA is decided at its first use, not later.
//! Only tch calls that return errors are used, and every error text is cut before libtorch's C++ backtrace.

mod engine;
mod error;
mod library;
mod memory;
mod parameter_views;
mod shim;
mod tensor;
mod threads;

pub use engine::TorchEngine;
#[doc(hidden)]
pub use memory::fail_after;
pub use parameter_views::view_cache::ViewCache;
pub use tensor::Tensor;
