//! Layers that take indices.

pub(crate) mod bag;
pub(crate) mod lookup;
pub(crate) mod onehot;
pub(crate) mod position;
