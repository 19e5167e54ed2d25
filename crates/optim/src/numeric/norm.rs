//! Sums of squares and products, in an order that depends only on the length.
//!
//! Up to eight squares of f32 are added before they widen to f64; all other sums are in f64. This halves the time. The
//! error of a norm is about the error of rounding it to f32.

use std::array;
use std::ops::RangeInclusive;

use crate::instruction_set::{InstructionSet, SimdKernel};
use crate::numeric::scalar::Scalar;

/// The number of partial sums. Fixed, so that all instruction sets give the same result. Larger than the unroll limit
/// of LLVM, so that it vectorizes the loop over them.
pub(crate) const LANES: usize = 64;

/// In elements; 2 KiB as f32. The block stays in the L1 cache between the formula and its sums. A multiple of
/// [`LANES`].
pub(crate) const BLOCK_LEN: usize = 512;

/// The range in which a sum of f32 squares is accurate. Above it, a square may have overflowed; below it, underflow may
/// matter.
const ACCURATE_SUMS: RangeInclusive<f64> = 1e-24..=f32::MAX as f64;

/// The sum of squares of a slice of any length.
#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline(always))]
pub(crate) fn sum_squares<T: Scalar>(x: &[T]) -> f64 {
    if x.len() < LANES {
        return sum_few_squares(x);
    }
    /// Two rows, so that cache lines are read in address order. More rows take a fifth longer.
    const ROWS: usize = 2;
    let mut sums = [0.0; LANES];
    let (rows, rest) = x.as_chunks::<LANES>();
    let (groups, rows) = rows.as_chunks::<ROWS>();
    for group in groups {
        let mut lanes = BlockSquares::new();
        group.iter().for_each(|row| lanes.add(row));
        sums.iter_mut().zip(lanes.0).for_each(|(sum, lane)| *sum += lane.to_f64());
    }
    for row in rows.iter().map(|row| &row[..]).chain([rest]) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += (*x * *x).to_f64());
    }
    resum_if_inaccurate(total(&sums), x)
}

/// Adds up the squares of a block of at most [`BLOCK_LEN`] elements, row by row. Each lane adds so few that f32 is accurate
/// enough.
pub(crate) struct BlockSquares<T>([T; LANES]);

impl<T: Scalar> BlockSquares<T> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self([T::default(); LANES])
    }

    /// Adds the squares of the next row.
    #[inline(always)]
    pub(crate) fn add(&mut self, row: &[T; LANES]) {
        let Self(lanes) = self;
        for i in 0..LANES {
            lanes[i] = lanes[i] + row[i] * row[i];
        }
    }

    /// The sum over the block; the rows must have been its rows.
    #[inline(always)]
    pub(crate) fn total(self, block: &[T]) -> f64 {
        resum_if_inaccurate(total(&self.0.map(T::to_f64)), block)
    }
}

/// The sum of squares of fewer elements than lanes.
#[inline(always)]
fn sum_few_squares<T: Scalar>(x: &[T]) -> f64 {
    const FEW_LANES: usize = 8;
    let mut sums = [0.0; FEW_LANES];
    for row in x.chunks(FEW_LANES) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.to_f64() * x.to_f64());
    }
    let [a, b] = add_halves::<4, 2>(add_halves(sums));
    a + b
}

/// The sum, or the sum of squares in f64 if f32 was not accurate. The latter is rare, except that zeros cause it, too.
#[inline(always)]
fn resum_if_inaccurate<T: Scalar>(sum: f64, x: &[T]) -> f64 {
    if T::WIDENS && !ACCURATE_SUMS.contains(&sum) { sum_squares_in_f64(x) } else { sum }
}

#[cold]
#[inline(never)]
fn sum_squares_in_f64<T: Scalar>(x: &[T]) -> f64 {
    let mut sums = [0.0; LANES];
    add_products(&mut sums, x, x);
    total(&sums)
}

/// Adds the products of two slices, each widened to f64 first.
#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline(always))]
pub(crate) fn add_products<T: Scalar>(lanes: &mut [f64; LANES], a: &[T], b: &[T]) {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] += a[i].to_f64() * b[i].to_f64();
        }
    }
    for (lane, (a, b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *lane += a.to_f64() * b.to_f64();
    }
}

/// The sum of the partial sums, by halving, which is fast and accurate.
#[inline(always)]
pub(crate) fn total(lanes: &[f64; LANES]) -> f64 {
    // Unrolled by hand, so that all lanes stay in registers.
    let [a, b] = add_halves::<4, 2>(add_halves::<8, 4>(add_halves::<16, 8>(add_halves::<32, 16>(add_halves(*lanes)))));
    a + b
}

/// Adds the second half to the first.
#[inline(always)]
fn add_halves<const WIDTH: usize, const HALF: usize>(lanes: [f64; WIDTH]) -> [f64; HALF] {
    array::from_fn(|i| lanes[i] + lanes[i + HALF])
}

/// The sum of squares, on the best instruction set.
pub fn sum_of_squares<T: Scalar>(x: &[T]) -> f64 {
    struct Sum<'a, T>(&'a [T]);
    impl<T: Scalar> SimdKernel for Sum<'_, T> {
        type Output = f64;
        #[inline(always)]
        fn run(self) -> f64 {
            sum_squares(self.0)
        }
    }
    InstructionSet::best().run(Sum(x))
}
