//! The memory of parameters and gradients as slices.

pub(crate) mod check;
mod overlap;
mod view;
pub(crate) mod view_cache;
