//! Sums for several operations. Sums of whole tensors are in f64, so that they are as accurate as the pairwise summation of
//! PyTorch.

use crate::elements::element::Real;

/// The number of partial sums that are independent, for vector instructions.
const LANES: usize = 8;

/// The sum of the elements.
#[inline(never)]
pub(crate) fn sum<T: Real>(elements: &[T]) -> f64 {
    let mut lanes = [0.0; LANES];
    let mut chunks = elements.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x.to_f64();
        }
    }
    for (lane, x) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane += x.to_f64();
    }
    lanes.iter().sum()
}

/// The sum of g (x - mean).
#[inline(never)]
pub(crate) fn centered_dot<T: Real>(mean: f64, g: &[T], x: &[T]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (mut g, mut x) = (g.chunks_exact(LANES), x.chunks_exact(LANES));
    for (g, x) in (&mut g).zip(&mut x) {
        for ((lane, g), x) in lanes.iter_mut().zip(g).zip(x) {
            *lane += g.to_f64() * (x.to_f64() - mean);
        }
    }
    for ((lane, g), x) in lanes.iter_mut().zip(g.remainder()).zip(x.remainder()) {
        *lane += g.to_f64() * (x.to_f64() - mean);
    }
    lanes.iter().sum()
}

/// The sum of (x - mean)².
#[inline(never)]
pub(crate) fn centered_square_sum<T: Real>(mean: f64, elements: &[T]) -> f64 {
    let mut lanes = [0.0; LANES];
    let mut chunks = elements.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += (x.to_f64() - mean) * (x.to_f64() - mean);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane += (x.to_f64() - mean) * (x.to_f64() - mean);
    }
    lanes.iter().sum()
}

/// Adds each row to `sums`.
#[inline(never)]
pub(crate) fn accumulate_rows<T: Real>(sums: &mut [T], rows: &[T]) {
    if sums.is_empty() {
        return;
    }
    for row in rows.chunks_exact(sums.len()) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum = *sum + *x);
    }
}
