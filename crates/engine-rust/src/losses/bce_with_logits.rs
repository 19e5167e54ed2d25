//! The cross entropy of the sigmoid of a number with the probability that is right.

use super::elementwise::Elementwise;
use crate::element::Real;
use crate::operations::activations::sigmoid;

#[derive(Clone, Copy)]
pub(crate) struct BceWithLogits;

impl Elementwise for BceWithLogits {
    fn value<T: Real>(self, x: T, y: T) -> T {
        // log(sigmoid(x)), so that no exponential overflows.
        let least = if x < T::ZERO { x } else { T::ZERO };
        let ln_sigmoid = least - (-x.abs()).exp().ln_1p();
        (T::ONE - y) * x - ln_sigmoid
    }

    fn slope<T: Real>(self, x: T, y: T) -> T {
        sigmoid(x) - y
    }

    fn target_slope<T: Real>(self, x: T, _: T) -> T {
        -x
    }
}
