//! libtorch's own optimizers, for `fused: false`.

pub(crate) mod conversion;
mod lbfgs;
mod lbfgs_state;
pub(crate) mod optimizer;
