//! Handles: numbers that stand for objects of a session and can never mean another object.

use std::fmt;

/// The kind of object that a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A tensor.
    Tensor,
    /// A list of tensors.
    Vector,
    /// Tensors by name.
    Dictionary,
    /// A module with its parameters.
    Module,
    /// An optimizer.
    Optimizer,
    /// A loss.
    Loss,
    /// A module, a loss and an optimizer.
    Model,
}

impl ObjectKind {
    pub(crate) const ALL: [ObjectKind; 7] = [
        ObjectKind::Tensor,
        ObjectKind::Vector,
        ObjectKind::Dictionary,
        ObjectKind::Module,
        ObjectKind::Optimizer,
        ObjectKind::Loss,
        ObjectKind::Model,
    ];

    /// The kind with its article, for messages.
    pub(crate) fn with_article(self) -> String {
        let article = if self == ObjectKind::Optimizer { "an" } else { "a" };
        format!("{article} {self}")
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ObjectKind::Tensor => "tensor",
            ObjectKind::Vector => "vector",
            ObjectKind::Dictionary => "dictionary",
            ObjectKind::Module => "module",
            ObjectKind::Optimizer => "optimizer",
            ObjectKind::Loss => "loss",
            ObjectKind::Model => "model",
        })
    }
}

pub(crate) const SLOT_BITS: u32 = 20;
pub(crate) const GENERATION_BITS: u32 = 20;
pub(crate) const SESSION_BITS: u32 = 10;
pub(crate) const SLOTS: u64 = 1 << SLOT_BITS;
pub(crate) const GENERATIONS: u64 = 1 << GENERATION_BITS;

/// 53 bits, so that a JavaScript number holds it: kind, session, generation and slot, from the highest to the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(pub(crate) u64);

impl Handle {
    /// From a number that JavaScript passed: any number, so nothing is known yet.
    pub fn from_number(number: f64) -> Self {
        let is_handle = number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number);
        // ObjectKind 7 exists nowhere.
        Handle(if is_handle { number as u64 } else { 7 << (SLOT_BITS + GENERATION_BITS + SESSION_BITS) })
    }

    /// For JavaScript to hold.
    pub fn to_number(self) -> f64 {
        self.0 as f64
    }

    /// The kind it claims to be of.
    pub fn kind(self) -> Option<ObjectKind> {
        ObjectKind::ALL.get((self.0 >> (SLOT_BITS + GENERATION_BITS + SESSION_BITS)) as usize).copied()
    }

    pub(crate) fn new(kind: ObjectKind, session: u64, generation: u64, slot: usize) -> Self {
        let high = ((kind as u64) << SESSION_BITS) | session;
        Handle((((high << GENERATION_BITS) | generation) << SLOT_BITS) | slot as u64)
    }

    pub(crate) fn slot(self) -> usize {
        (self.0 % SLOTS) as usize
    }

    pub(crate) fn generation(self) -> u64 {
        (self.0 >> SLOT_BITS) % GENERATIONS
    }

    pub(crate) fn session(self) -> u64 {
        (self.0 >> (SLOT_BITS + GENERATION_BITS)) % (1 << SESSION_BITS)
    }
}
