//! A state buffer on a device, and its way from and to host memory.

use std::sync::Arc;

use half::bf16;

use crate::device::device::{Device, DeviceMemory};
use crate::device::layout::{Plain, bytes_of, bytes_of_mut};
use crate::error::Result;
use crate::memory::ArenaArray;
use crate::state::buffer::{Buffer, BufferType};

// SAFETY: a number has no padding, and every bit pattern is a value.
unsafe impl Plain for f32 {}
// SAFETY: as above.
unsafe impl Plain for f64 {}
// SAFETY: as above; the type is a transparent wrapper of `u16`.
unsafe impl Plain for bf16 {}

/// A state buffer on a device.
#[derive(Clone)]
pub(crate) struct DeviceBuffer {
    pub(super) device: Arc<dyn Device>,
    /// 0 without elements.
    pub(super) address: u64,
    pub(super) element: BufferType,
    /// In elements.
    pub(super) length: usize,
    /// The allocation, which buffers that were made together share; `None` without elements.
    #[allow(dead_code, reason = "held for its drop")]
    pub(super) memory: Option<Arc<dyn DeviceMemory>>,
}

impl BufferType {
    /// In bytes.
    pub(super) fn element_bytes(self) -> usize {
        match self {
            BufferType::Float => size_of::<f32>(),
            BufferType::Double => size_of::<f64>(),
            BufferType::BFloat16 => size_of::<bf16>(),
        }
    }

    /// The bits of a number in this type, repeated to eight bytes.
    pub(super) fn pattern(self, number: f64) -> [u8; 8] {
        let bits = match self {
            BufferType::Float => u64::from((number as f32).to_bits()) * 0x1_0000_0001,
            BufferType::Double => number.to_bits(),
            BufferType::BFloat16 => u64::from(bf16::from_f32(number as f32).to_bits()) * 0x0001_0001_0001_0001,
        };
        bits.to_ne_bytes()
    }
}

impl Buffer {
    /// A copy in its own allocation.
    pub(super) fn copied(&self, buffer_index: usize) -> Result<Self> {
        Ok(match self {
            Buffer::Float(b) => Buffer::Float(ArenaArray::copy_of(b, buffer_index)?),
            Buffer::Double(b) => Buffer::Double(ArenaArray::copy_of(b, buffer_index)?),
            Buffer::BFloat16(b) => Buffer::BFloat16(ArenaArray::copy_of(b, buffer_index)?),
        })
    }

    /// The elements as bytes, in the byte order of the machine.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Buffer::Float(b) => bytes_of(b),
            Buffer::Double(b) => bytes_of(b),
            Buffer::BFloat16(b) => bytes_of(b),
        }
    }

    /// As [`Buffer::as_bytes`], to be overwritten: every bit pattern is a number.
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Buffer::Float(b) => bytes_of_mut(b),
            Buffer::Double(b) => bytes_of_mut(b),
            Buffer::BFloat16(b) => bytes_of_mut(b),
        }
    }
}

impl DeviceBuffer {
    /// In bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.length * self.element.element_bytes()
    }

    /// In elements.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Copies the buffer to host memory. Waits for earlier steps.
    pub(super) fn download(&self, buffer_index: usize) -> Result<Buffer> {
        let mut buffer = Buffer::zeros(self.element, self.length, buffer_index)?;
        if self.length > 0 {
            self.device.download(self.address, buffer.as_bytes_mut())?;
        }
        Ok(buffer)
    }
}

/// Uploads a buffer, converted to a type. Rounds to nearest.
pub(super) fn upload(device: &dyn Device, to: u64, element: BufferType, from: &Buffer) -> Result<()> {
    if from.element() == element {
        return device.upload(to, from.as_bytes());
    }
    let mut converted = Buffer::zeros(element, from.len(), 0)?;
    converted.convert(from);
    device.upload(to, converted.as_bytes())
}
