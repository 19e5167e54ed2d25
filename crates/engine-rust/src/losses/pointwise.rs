//! A loss of one element, as functions.

/// A loss of one element and its derivatives, as functions of input, target and the constant of the loss, if it has one.
/// They are called through pointers: a loop for each would make the library larger by more than they are worth.
#[derive(Clone, Copy)]
pub(crate) struct PointwiseLoss<T> {
    pub(crate) value: fn(T, T, T) -> T,
    /// By the input.
    pub(crate) input_derivative: fn(T, T, T) -> T,
    /// By the target.
    pub(crate) target_derivative: fn(T, T, T) -> T,
}
