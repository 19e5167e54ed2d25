//! The engine on libtorch, through tch and a small C++ shim.
//!
//! The process must have loaded libtorch before the first call. libtorch decides at its first use whether it has CUDA. Of tch's
//! functions that can fail, the engine calls those that return errors (`f_*`); `clippy.toml` bans the others. It cuts the C++
//! backtrace off every error text.

mod allocator;
mod collectives;
mod cuda;
mod descriptors;
mod devices;
mod elementwise;
mod engine;
mod error;
mod library;
mod linear_algebra;
mod owned_tensors;
mod parameter_views;
mod primitives;
mod process_group;
mod reduction;
mod shim;
mod tensor;
mod threads;

pub use cuda::{explain_cuda, release_device_memory};
#[doc(hidden)]
pub use devices::HostDevices;
pub use elementwise::SpareTensors;
pub use engine::TorchEngine;
/// The engine of an addon that is built with this crate.
pub type NativeEngine = TorchEngine;
#[doc(hidden)]
pub use stepwell_memory::fail_after;

pub use parameter_views::view_cache::ViewCache;
pub use process_group::set_nccl_library;
pub use stepwell_distributed::waiting_threads;
pub use tensor::Tensor;
