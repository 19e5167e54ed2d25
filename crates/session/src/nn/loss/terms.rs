//! Losses before their reduction.

/// The losses before they are reduced.
pub(crate) struct Terms<T> {
    pub(crate) losses: T,
    /// The divisor of the mean; `None` for the number of losses.
    pub(crate) divisor: Option<f64>,
}

impl<T> Terms<T> {
    pub(crate) fn each(losses: T) -> Self {
        Self { losses, divisor: None }
    }
}
