//! The interface of a device: memory, and kernels that run on one stream, in order.

use std::ptr;
use std::sync::Arc;

use crate::error::Result;
use crate::state::view::Element;

/// Memory on a device, freed on drop.
pub trait DeviceMemory: Send + Sync {
    /// The address on the device, a multiple of 16 bytes.
    fn address(&self) -> u64;
    /// The size in bytes.
    fn bytes(&self) -> usize;
}

/// A device that runs the kernels of a step. All work runs on one stream, in the order of the calls.
pub trait Device: Send + Sync {
    /// The name in the k-api, such as `cuda:0`.
    fn name(&self) -> String;

    /// Allocates memory, whose content is undefined.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory)
    fn allocate(&self, bytes: usize) -> Result<Box<dyn DeviceMemory>>;

    /// Copies `bytes` to the device, in stream order. The caller may change `bytes` once the call returns. The call
    /// does not wait for earlier work.
    fn upload(&self, to: u64, bytes: &[u8]) -> Result<()>;

    /// Copies from the device into `bytes`. Waits for all earlier work.
    fn download(&self, from: u64, bytes: &mut [u8]) -> Result<()>;

    /// Starts to copy a number from the device, in stream order, and does not wait. The address is a multiple of 8.
    fn read(&self, from: u64) -> Result<Box<dyn DeviceRead>>;

    /// Copies within the device, in stream order. The ranges do not overlap.
    fn copy(&self, from: u64, to: u64, bytes: usize) -> Result<()>;

    /// Sets bytes to zero, in stream order.
    fn zero(&self, to: u64, bytes: usize) -> Result<()>;

    /// Compiles CUDA C++, or takes the result from a cache.
    fn load(&self, source: &str) -> Result<Arc<dyn DeviceModule>>;
}

/// A number of 8 bytes that a device copies to the host.
pub trait DeviceRead: Send + Sync {
    /// True once the host has the number. Does not wait.
    fn is_over(&self) -> Result<bool>;
    /// The number. Waits until the host has it.
    fn number(&self) -> Result<u64>;
}

/// Compiled kernels of a device.
pub trait DeviceModule: Send + Sync {
    /// Runs a kernel in stream order and does not wait for it. Each argument is 8 bytes wide.
    fn launch(&self, kernel: &'static str, blocks: u32, threads: u32, arguments: &[u64]) -> Result<()>;
}

/// Addresses of a parameter and of its gradient on a device: dense arrays of equal length, type and order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceView {
    /// The address of the parameter, a multiple of the size of an element.
    pub parameter: u64,
    /// The address of the gradient, a multiple of the size of an element.
    pub gradient: u64,
    /// In elements.
    pub length: usize,
    /// The type of both.
    pub element: Element,
    /// The index of the device in the list of a step.
    pub device: usize,
}

/// True if both are one device.
pub(crate) fn is_same(a: &Arc<dyn Device>, b: &Arc<dyn Device>) -> bool {
    ptr::addr_eq(Arc::as_ptr(a), Arc::as_ptr(b))
}
