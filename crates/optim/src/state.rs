//! State of one parameter: a step count and named buffers.

use crate::{Elements, View};

/// Elements of a state buffer, of the type of its parameter.
#[derive(Debug, PartialEq)]
pub enum Buffer {
    /// 32-bit floating point.
    Float(Elements<f32>),
    /// 64-bit floating point.
    Double(Elements<f64>),
}

impl Buffer {
    /// True if it fits the view's type and length.
    pub(crate) fn fits(&self, view: &View<'_>) -> bool {
        match (self, view) {
            (Buffer::Float(b), View::Float(p, _)) => b.len() == p.len(),
            (Buffer::Double(b), View::Double(p, _)) => b.len() == p.len(),
            _ => false,
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Buffer::Float(b) => b.len(),
            Buffer::Double(b) => b.len(),
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
        }
    }
}

/// The most buffers that an optimizer keeps for a parameter.
pub const MAX_BUFFERS: usize = 3;

/// State of one parameter. Buffers stand in the order of the optimizer's table; one that is not in use is `None`.
#[derive(Debug, Default, PartialEq)]
pub struct State {
    /// How many steps the parameter has seen.
    pub step: u64,
    /// The buffers.
    pub buffers: [Option<Buffer>; MAX_BUFFERS],
}
