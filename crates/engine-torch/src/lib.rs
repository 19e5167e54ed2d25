//! The engine on libtorch, through tch and a small C++ shim.
//!
//! libtorch must be in the process before the first call; whether it has CUDA is decided at its first use, not later.
//! Only tch calls that return errors are used, and every error text is cut before libtorch's C++ backtrace.

mod curvature;
mod engine;
mod error;
mod lbfgs;
mod lend;
mod library;
mod memory;
mod overlap;
mod shim;
mod state;
mod tensor;
mod threads;

pub use engine::TorchEngine;
pub use lend::ViewCache;
#[doc(hidden)]
pub use memory::fail_after;
pub use tensor::Tensor;
