//! Recurrent layers.

mod cell;
pub(crate) mod layers;
