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
mod direction;
pub(crate) mod history;
mod row_pool;
pub(crate) mod state;
pub(crate) mod step;
mod strong_wolfe;
mod vectors;

use crate::options;
use crate::error::Result;
use crate::optimizers::definition::{Definition, Method};
use crate::options::option_type::OptionType;
use crate::options::table::OptionSet;
use crate::options::table::Limit::*;
use crate::options::value::Value;

/// The line searches there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    StrongWolfe,
}

impl OptionType for Search {
    const KIND: crate::Kind = crate::Kind::Word(&["strong_wolfe"]);
    fn from_value(value: &Value) -> Option<Self> {
        matches!(value, Value::Word(_)).then_some(Search::StrongWolfe)
    }
    fn into_value(self) -> Value {
        Value::Word("strong_wolfe".into())
    }
}

options! {
    /// Options of L-BFGS.
    pub(crate) struct LbfgsOptions {
        /// Length of a step along the direction, or the first one tried by the line search.
        lr: f64 = 1.0, limit AtLeast(0.0);
        /// Most iterations of a step.
        iter: i64 = 20, limit AtLeast(1.0), alias "max_iter";
        /// Most evaluations of the closure in a step; null stands for iter * 5 / 4.
        eval: Option<i64> = None, limit AtLeast(1.0), alias "max_eval";
        /// Stop when no element of the gradient is larger.
        gradtol: f64 = 1e-7, limit AtLeast(0.0), alias "tolerance_grad";
        /// Stop when neither the loss nor any parameter changes more.
        changetol: f64 = 1e-9, limit AtLeast(0.0), alias "tolerance_change";
        /// How many past updates the curvature is made of.
        history: i64 = 100, limit AtLeast(1.0), alias "history_size";
        /// Line search; null for a fixed step length.
        search: Option<Search> = None, alias "line_search_fn";
        /// Climb instead of descend: the loss and its gradient are negated.
        maximize: bool = false, further true;
    }
}

pub(crate) const DEFINITION: Definition = Definition {
    name: "lbfgs",
    pytorch: Some("torch.optim.LBFGS"),
    about: "Limited-memory BFGS: a quasi-Newton method on all parameters at once; a step needs a closure.",
    options: LbfgsOptions::SPECS,
    counts_steps: false,
    buffers: &[],
    check: |_| Ok(()),
    method: Method::Closure,
};

/// What L-BFGS minimises: all parameters as one vector.
pub trait Objective<T> {
    /// Sets the parameters.
    fn set_parameters(&mut self, parameters: &[T]) -> Result<()>;
    /// Evaluates the loss at the parameters that are set, and overwrites `gradient` with its gradient.
    fn evaluate(&mut self, gradient: &mut [T]) -> Result<f64>;
}
