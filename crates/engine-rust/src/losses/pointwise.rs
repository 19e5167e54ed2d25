//! A loss of one element, as functions.

/// A loss of one element and its derivatives, as functions of input, target and the loss's own number, if it has one.
/// They are called through pointers: a loop for each would make the library larger by more than they are worth.
#[derive(Clone, Copy)]
pub(crate) struct Elementwise<T> {
    pub(crate) value: fn(T, T, T) -> T,
    /// By the input.
    pub(crate) slope: fn(T, T, T) -> T,
    /// By the target.
    pub(crate) target_slope: fn(T, T, T) -> T,
}
