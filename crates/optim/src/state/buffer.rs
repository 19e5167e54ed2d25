//! Elements of a state buffer.

use half::bf16;

use crate::error::{Code, Error, Result};
use crate::memory::{Arena, ArenaLayout, ArenaSlot, Elements};
use crate::state::view::Element;

/// Elements of a state buffer.
#[derive(Debug, PartialEq)]
pub enum Buffer {
    /// 32-bit floating point, also of a parameter of 16 bits.
    Float(Elements<f32>),
    /// 64-bit floating point.
    Double(Elements<f64>),
    /// 16-bit floating point with the range of 32 bits.
    BFloat16(Elements<bf16>),
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

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the elements.
    pub fn bytes(&self) -> usize {
        match self {
            Buffer::Float(b) => size_of_val(&b[..]),
            Buffer::Double(b) => size_of_val(&b[..]),
            Buffer::BFloat16(b) => size_of_val(&b[..]),
        }
    }

    /// Takes the elements of another buffer of as many, each rounded to the nearest.
    pub(crate) fn convert(&mut self, from: &Buffer) {
        // By way of a number that holds all of them exactly, which is less code than each pair of types.
        match self {
            Buffer::Float(to) => to.iter_mut().enumerate().for_each(|(i, to)| *to = from.number(i) as f32),
            Buffer::Double(to) => to.iter_mut().enumerate().for_each(|(i, to)| *to = from.number(i)),
            Buffer::BFloat16(to) => {
                to.iter_mut().enumerate().for_each(|(i, to)| *to = bf16::from_f32(from.number(i) as f32));
            }
        }
    }

    /// An element.
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

/// A buffer that is planned in an layout.
pub(crate) enum PlannedBuffer {
    Float(ArenaSlot<f32>),
    Double(ArenaSlot<f64>),
    BFloat16(ArenaSlot<bf16>),
}

impl PlannedBuffer {
    /// A buffer that begins, if it is large, at that offset of a page.
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

/// The type of a buffer of a parameter of that type; an average of gradients may be reduced.
///
/// # Errors
/// [`Code::OptionRange`] for moments of 16 bits beside parameters of 64.
pub(crate) fn buffer_type(element: Element, is_average: bool, reduced_moments: bool) -> Result<BufferType> {
    match element {
        Element::Double if reduced_moments => {
            let message = "moments: expected \"full\" for parameters of dtype double, given \"bfloat16\"";
            Err(Error::new(Code::OptionRange, message))
        }
        _ if reduced_moments && is_average => Ok(BufferType::BFloat16),
        Element::Double => Ok(BufferType::Double),
        Element::Float | Element::Half | Element::BFloat16 => Ok(BufferType::Float),
    }
}
