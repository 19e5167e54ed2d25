//! Numbers and loops over slices: element types, kernels, norms, clipping.

pub(crate) mod bias_correction;
pub(crate) mod clip;
pub(crate) mod kernel;
pub(crate) mod norm;
pub(crate) mod scalar;
pub(crate) mod stochastic_rounding;
