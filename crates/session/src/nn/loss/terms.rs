//! Losses before their reduction.

use crate::mathematics::calculation::Node;

/// The losses before they are reduced.
pub(crate) struct Terms {
    pub(crate) losses: Node,
    /// The divisor of the mean; `None` for the number of losses.
    pub(crate) divisor: Option<f64>,
}

impl Terms {
    pub(crate) fn each(losses: Node) -> Self {
        Self { losses, divisor: None }
    }
}
