//! libtorch's own optimizers, for `fused: false`.

mod lbfgs;
mod lbfgs_state;
pub(crate) mod optimizer;
mod options;
