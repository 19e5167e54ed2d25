//! Views (slices) of the memory of parameters and gradients, for a step.

pub(crate) mod check;
mod overlap;
mod view;
pub(crate) mod view_cache;
