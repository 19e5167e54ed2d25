//! A loss of one element and its derivatives, as functions.

/// Functions of input, target and the constant of the loss.
///
/// Function pointers, since one loop for each loss would enlarge the WebAssembly module.
#[derive(Clone, Copy)]
pub(crate) struct PointwiseLoss<T> {
    pub(crate) value: fn(T, T, T) -> T,
    /// The derivative with respect to the input.
    pub(crate) input_derivative: fn(T, T, T) -> T,
    /// The derivative with respect to the target.
    pub(crate) target_derivative: fn(T, T, T) -> T,
}
