//! The memory of parameters and gradients as slices.

mod overlap;
pub(crate) mod view_cache;
