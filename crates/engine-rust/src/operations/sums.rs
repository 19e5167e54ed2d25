//! Sums that more than one operation needs.

use crate::element::Real;

/// How many partial sums run side by side.
const LANES: usize = 8;

/// The sum of `f` of each element, in f64.
#[inline(always)]
pub(crate) fn sum_of<T: Copy>(elements: &[T], f: impl Fn(T) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let mut chunks = elements.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += f(*x);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane += f(*x);
    }
    lanes.iter().sum()
}

/// The sum of `f` of each pair of elements, in f64.
#[inline(always)]
pub(crate) fn sum_of_pairs<T: Copy>(a: &[T], b: &[T], f: impl Fn(T, T) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let (mut a, mut b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (a, b) in (&mut a).zip(&mut b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += f(*a, *b);
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a.remainder()).zip(b.remainder()) {
        *lane += f(*a, *b);
    }
    lanes.iter().sum()
}

/// Adds each row to `sums`.
pub(crate) fn add_rows<T: Real>(sums: &mut [T], rows: &[T]) {
    if sums.is_empty() {
        return;
    }
    for row in rows.chunks_exact(sums.len()) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum = *sum + *x);
    }
}
