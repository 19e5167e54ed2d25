//! L-BFGS, with or without a strong Wolfe line search.
//!
//! ```text
//! d = -H g, with H from the last `history` pairs s = t d, y = g - g_previous (two-loop recursion)
//! p = p + t d, up to `iter` times a step
//! ```
//!
//! Nocedal and Wright 2006, *Numerical Optimization*, algorithms 7.4 and 7.5; stopping rules and first step length as in
//! PyTorch's `LBFGS`. All parameters are one vector, so there is one parameter group, and a step needs a closure.

pub(crate) mod closure_step;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod device_vectors;
mod direction;
mod history;
mod host_vectors;
pub(crate) mod objective;
mod options;
mod row_pool;
pub(crate) mod state_dict;
mod step;
mod strong_wolfe;
mod vector_memory;
mod vectors;

use crate::optimizers::definition::{Definition, Method};
use crate::optimizers::lbfgs::options::LbfgsOptions;
use crate::options::table::{OptionSet, documentation};

pub(crate) const DEFINITION: Definition = Definition {
    name: "lbfgs",
    pytorch: Some(documentation("torch.optim.LBFGS")),
    about: documentation("Limited-memory BFGS: a quasi-Newton method on all parameters at once; a step needs a closure."),
    options: LbfgsOptions::SPECS,
    counts_steps: false,
    buffers: &[],
    required_buffers: 0,
    check: |_| Ok(()),
    method: Method::Closure,
};
