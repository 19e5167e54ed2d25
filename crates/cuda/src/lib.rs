//! Runs the kernels of optimizers, which `stepwell-optim` writes as CUDA C++, on a device.

mod driver;

pub use driver::cuda_device::{Allocate, CudaDevice, CudaSettings};
pub use driver::nvrtc::{COMPILE_OPTIONS, Compiled, Nvrtc, Target};
