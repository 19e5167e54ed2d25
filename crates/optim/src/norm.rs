//! Sums of squares in f64, in an order that depends on nothing but the length.

use crate::Scalar;

/// How many partial sums run side by side. Fixed, so that the result is the same for every instruction set.
pub(crate) const LANES: usize = 8;

/// How many values a kernel collects before it adds their squares; a multiple of [`LANES`], so that the order of the sum
/// does not depend on it.
pub(crate) const BLOCK: usize = 256;

/// Adds the squares to the partial sums, the first to the first.
#[inline(always)]
pub(crate) fn add_squares<T: Scalar>(lanes: &mut [f64; LANES], x: &[T]) {
    let mut chunks = x.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x.to_f64() * x.to_f64();
        }
    }
    for (lane, x) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane += x.to_f64() * x.to_f64();
    }
}

/// The sum of the squares.
pub fn sum_of_squares<T: Scalar>(x: &[T]) -> f64 {
    let mut lanes = [0.0; LANES];
    add_squares(&mut lanes, x);
    lanes.iter().sum()
}
