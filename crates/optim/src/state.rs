//! State of one parameter: a step count and named buffers.

use crate::{Code, Error, Result, View};

/// Elements of a state buffer, of the type of its parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Buffer {
    /// 32-bit floating point.
    Float(Vec<f32>),
    /// 64-bit floating point.
    Double(Vec<f64>),
}

impl Buffer {
    /// A buffer with every element `fill`, of the view's type and length.
    pub(crate) fn like(view: &View<'_>, fill: f64) -> Result<Self> {
        fn filled<T: Clone>(length: usize, fill: T) -> Result<Vec<T>> {
            let mut elements = Vec::new();
            elements.try_reserve_exact(length).map_err(|_| no_memory(length))?;
            elements.resize(length, fill);
            Ok(elements)
        }
        match view {
            View::Float(p, _) => filled(p.len(), fill as f32).map(Buffer::Float),
            View::Double(p, _) => filled(p.len(), fill).map(Buffer::Double),
        }
    }

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

/// The error of a state buffer that finds no memory.
pub(crate) fn no_memory(elements: usize) -> Error {
    Error::new(Code::Memory, format!("no memory for a state buffer of {elements} elements"))
}

/// The most buffers that an optimizer keeps for a parameter.
pub const MAX_BUFFERS: usize = 3;

/// State of one parameter. Buffers stand in the order of the optimizer's table; one that is not in use is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// How many steps the parameter has seen.
    pub step: u64,
    /// The buffers.
    pub buffers: [Option<Buffer>; MAX_BUFFERS],
}
