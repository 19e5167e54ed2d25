//! State buffers and their types.

#[cfg(not(target_family = "wasm"))]
use std::ops::Range;

use half::bf16;

use crate::error::{Code, Error, Result};
use crate::memory::{Arena, ArenaArray, ArenaLayout, ArenaSlot};
use crate::state::view::Element;

/// The elements of a state buffer.
#[derive(Debug, PartialEq)]
pub enum Buffer {
    /// f32; also for a 16-bit parameter.
    Float(ArenaArray<f32>),
    /// f64.
    Double(ArenaArray<f64>),
    /// bfloat16.
    BFloat16(ArenaArray<bf16>),
}

/// The element type of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BufferType {
    /// [`Buffer::Float`]
    Float,
    /// [`Buffer::Double`]
    Double,
    /// [`Buffer::BFloat16`]
    BFloat16,
}

impl Buffer {
    /// The element type.
    pub fn element(&self) -> BufferType {
        match self {
            Buffer::Float(_) => BufferType::Float,
            Buffer::Double(_) => BufferType::Double,
            Buffer::BFloat16(_) => BufferType::BFloat16,
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Buffer::Float(b) => b.len(),
            Buffer::Double(b) => b.len(),
            Buffer::BFloat16(b) => b.len(),
        }
    }

    /// True if there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The size of the elements in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Buffer::Float(b) => size_of_val(&b[..]),
            Buffer::Double(b) => size_of_val(&b[..]),
            Buffer::BFloat16(b) => size_of_val(&b[..]),
        }
    }

    /// Zeros, as the state buffer with this index.
    ///
    /// # Errors
    /// [`Code::Memory`]
    pub fn zeros(element: BufferType, length: usize, buffer_index: usize) -> Result<Self> {
        Ok(match element {
            BufferType::Float => Buffer::Float(ArenaArray::zeros(length, buffer_index)?),
            BufferType::Double => Buffer::Double(ArenaArray::zeros(length, buffer_index)?),
            BufferType::BFloat16 => Buffer::BFloat16(ArenaArray::zeros(length, buffer_index)?),
        })
    }

    /// A copy of some elements, as the state buffer with this index.
    ///
    /// # Errors
    /// [`Code::Memory`]
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn part(&self, range: &Range<usize>, buffer_index: usize) -> Result<Self> {
        Ok(match self {
            Buffer::Float(b) => Buffer::Float(ArenaArray::copy_of(&b[range.clone()], buffer_index)?),
            Buffer::Double(b) => Buffer::Double(ArenaArray::copy_of(&b[range.clone()], buffer_index)?),
            Buffer::BFloat16(b) => Buffer::BFloat16(ArenaArray::copy_of(&b[range.clone()], buffer_index)?),
        })
    }

    /// Copies a buffer of another type and the same length. Rounds to nearest.
    pub(crate) fn convert(&mut self, from: &Buffer) {
        // Converts by way of `f64`, which holds all types exactly; a loop for each pair of types would be more code.
        match self {
            Buffer::Float(to) => to.iter_mut().enumerate().for_each(|(i, to)| *to = from.number(i) as f32),
            Buffer::Double(to) => to.iter_mut().enumerate().for_each(|(i, to)| *to = from.number(i)),
            Buffer::BFloat16(to) => {
                to.iter_mut().enumerate().for_each(|(i, to)| *to = bf16::from_f32(from.number(i) as f32));
            }
        }
    }

    /// An element as `f64`.
    #[cfg_attr(target_family = "wasm", inline(never))]
    fn number(&self, index: usize) -> f64 {
        match self {
            Buffer::Float(b) => f64::from(b[index]),
            Buffer::Double(b) => b[index],
            Buffer::BFloat16(b) => b[index].to_f64(),
        }
    }

    pub(crate) fn address(&mut self) -> *mut u8 {
        match self {
            Buffer::Float(b) => b.as_mut_ptr().cast(),
            Buffer::Double(b) => b.as_mut_ptr().cast(),
            Buffer::BFloat16(b) => b.as_mut_ptr().cast(),
        }
    }
}

/// A buffer with a place in an [`ArenaLayout`].
pub(crate) enum PlannedBuffer {
    Float(ArenaSlot<f32>),
    Double(ArenaSlot<f64>),
    BFloat16(ArenaSlot<bf16>),
}

impl PlannedBuffer {
    /// Plans a buffer. If it is large, it starts at this page offset.
    pub(crate) fn new(
        layout: &mut ArenaLayout,
        element: BufferType,
        length: usize,
        page_offset: usize,
    ) -> Result<Self> {
        Ok(match element {
            BufferType::Float => PlannedBuffer::Float(layout.add(length, page_offset)?),
            BufferType::Double => PlannedBuffer::Double(layout.add(length, page_offset)?),
            BufferType::BFloat16 => PlannedBuffer::BFloat16(layout.add(length, page_offset)?),
        })
    }

    pub(crate) fn take(self, arena: &Arena, fill: f64) -> Buffer {
        match self {
            PlannedBuffer::Float(slot) => Buffer::Float(arena.take(slot, fill as f32)),
            PlannedBuffer::Double(slot) => Buffer::Double(arena.take(slot, fill)),
            PlannedBuffer::BFloat16(slot) => Buffer::BFloat16(arena.take(slot, bf16::from_f32(fill as f32))),
        }
    }
}

/// The type of a buffer for a parameter of type `element`.
///
/// # Errors
/// [`Code::OptionRange`] for moments in bfloat16 with a parameter in f64.
pub(crate) fn buffer_type(element: Element, is_gradient_average: bool, bfloat16_moments: bool) -> Result<BufferType> {
    match element {
        Element::Double if bfloat16_moments => {
            let message = "moments: expected \"full\" for parameters of dtype double, given \"bfloat16\"";
            Err(Error::new(Code::OptionRange, message))
        }
        _ if bfloat16_moments && is_gradient_average => Ok(BufferType::BFloat16),
        Element::Double => Ok(BufferType::Double),
        Element::Float | Element::Half | Element::BFloat16 => Ok(BufferType::Float),
    }
}
