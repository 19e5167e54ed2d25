//! Runs the kernels of optimizers, which `stepwell-optim` writes as CUDA C++, on a device.

mod driver;
#[cfg(feature = "emulator")]
mod emulator;

pub use driver::cuda_device::{Allocate, CudaDevice, CudaSettings};
pub use driver::nvrtc::{COMPILE_OPTIONS, Compiled, Nvrtc, Target};
pub use driver::properties::{DeviceProperties, DriverProperties, driver_properties};
#[cfg(feature = "emulator")]
pub use emulator::device::{Counts, Emulator};
