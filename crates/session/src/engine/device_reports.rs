//! Reports of an engine about devices and their memory.

/// Memory of a CUDA device, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceMemoryUse {
    /// Bytes that tensors of this process have.
    pub allocated: usize,
    /// Bytes that the library has taken from the device: in use, or kept for later tensors.
    pub reserved: usize,
    /// The most bytes that tensors have had at a time.
    pub peak: usize,
    /// Bytes that no process has taken.
    pub free: usize,
    /// All bytes of the device.
    pub total: usize,
}

/// A report on CUDA.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CudaReport {
    /// True if the library has loaded its CUDA half.
    pub loaded: bool,
    /// The newest version of CUDA that the driver supports; `None` without a driver.
    pub driver: Option<String>,
    /// The devices of this process, in the order of their numbers.
    pub devices: Vec<CudaDevice>,
    /// The missing piece and the remedy, if no device can be used.
    pub missing: Option<(String, String)>,
}

/// A CUDA device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CudaDevice {
    /// The name of the product; empty if it is not known.
    pub name: String,
    /// In bytes; 0 if it is not known.
    pub memory: usize,
    /// The compute capability, such as 9.0; empty if it is not known.
    pub capability: String,
}
