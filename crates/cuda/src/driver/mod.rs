//! CUDA devices through the driver's interface, and the run-time compiler NVRTC. Both are loaded at run time, so that one binary
//! runs on machines with and without CUDA.

mod api;
mod compiler;
mod context;
pub(crate) mod cuda_device;
mod kernel_cache;
mod library;
mod lock;
mod module;
mod number_reads;
pub(crate) mod nvrtc;
mod pinned_buffer;
pub(crate) mod properties;
mod upload_ring;
