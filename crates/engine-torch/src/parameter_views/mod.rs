//! Views (slices) of the memory of parameters and gradients, for a step.

pub(crate) mod check;
pub(crate) mod flat_vector;
mod overlap;
pub(crate) mod staged_views;
mod staging;
mod view;
pub(crate) mod view_cache;
