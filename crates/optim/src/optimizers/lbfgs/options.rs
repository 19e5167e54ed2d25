//! Options of L-BFGS.

use crate::options;
use crate::options::option_type::OptionType;
use crate::options::table::Limit::*;
use crate::options::value::{OptionKind, OptionValue};

/// The line searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    StrongWolfe,
}

impl OptionType for Search {
    const KIND: OptionKind = OptionKind::Word(&["strong_wolfe"]);
    fn from_value(value: &OptionValue) -> Option<Self> {
        matches!(value, OptionValue::Word(_)).then_some(Search::StrongWolfe)
    }
    fn into_value(self) -> OptionValue {
        OptionValue::Word("strong_wolfe".into())
    }
}

options! {
    /// Options of L-BFGS.
    pub(crate) struct LbfgsOptions {
        /// Length of a step along the direction, or the first length that the line search tries.
        lr: f64 = 1.0, limit AtLeast(0.0);
        /// Largest number of iterations of a step.
        iter: i64 = 20, limit AtLeast(1.0), alias "max_iter";
        /// Largest number of evaluations of the closure in a step; null: iter * 5 / 4.
        eval: Option<i64> = None, limit AtLeast(1.0), alias "max_eval";
        /// Stop if no element of the gradient is larger.
        gradtol: f64 = 1e-7, limit AtLeast(0.0), alias "tolerance_grad";
        /// Stop if neither the loss nor any parameter changes more.
        changetol: f64 = 1e-9, limit AtLeast(0.0), alias "tolerance_change";
        /// Number of past updates that approximate the curvature.
        history: i64 = 100, limit AtLeast(1.0), alias "history_size";
        /// Line search; null: a fixed step length.
        search: Option<Search> = None, alias "line_search_fn";
        /// Maximize instead of minimize: negate the loss and its gradient.
        maximize: bool = false, extension true;
    }
}
