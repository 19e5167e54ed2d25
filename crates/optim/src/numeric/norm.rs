//! Sums of squares, in an order that depends on nothing but the length.
//!
//! Up to eight squares of 32 bits are added up before they widen to f64, in which all else is summed: that takes half the
//! time, and what it loses of a norm is about what rounding it to 32 bits does.

use std::array;
use std::ops::RangeInclusive;

use crate::instruction_set::{InstructionSet, SimdKernel};
use crate::numeric::scalar::Scalar;

/// How many partial sums run side by side. Fixed, so that the result is the same for every instruction set; and more than
/// the compiler unrolls, so that it makes vector instructions of the loop over them.
pub(crate) const LANES: usize = 64;

/// How many elements are worked on before their products are summed, so that they are still in the nearest cache; a
/// multiple of the lanes.
pub(crate) const BLOCK: usize = 512;

/// Sums that say what they should, though squares were taken in 32 bits: above, one may have overflowed; below, what was
/// lost of the smallest may matter.
const EXACT: RangeInclusive<f64> = 1e-24..=f32::MAX as f64;

/// The sum of the squares of what comes from memory, of any length.
#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline(always))]
pub(crate) fn squares<T: Scalar>(x: &[T]) -> f64 {
    if x.len() < LANES {
        return few_squares(x);
    }
    /// Few, so that lines are asked for in the order in which they lie: with more, that takes a fifth longer.
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
    checked(total(&sums), x)
}

/// Squares of a block of at most [`BLOCK`] elements, row by row: so few that no digit that counts is lost in 32 bits.
pub(crate) struct BlockSquares<T>([T; LANES]);

impl<T: Scalar> BlockSquares<T> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self([T::default(); LANES])
    }

    /// Adds those of the next row.
    #[inline(always)]
    pub(crate) fn add(&mut self, row: &[T; LANES]) {
        let Self(lanes) = self;
        for i in 0..LANES {
            lanes[i] = lanes[i] + row[i] * row[i];
        }
    }

    /// The sum; the rows are those of the block.
    #[inline(always)]
    pub(crate) fn total(self, block: &[T]) -> f64 {
        checked(total(&self.0.map(T::to_f64)), block)
    }
}

/// The sum of the squares of fewer elements than there are lanes, most of which would be empty.
#[inline(always)]
fn few_squares<T: Scalar>(x: &[T]) -> f64 {
    const FEW: usize = 8;
    let mut sums = [0.0; FEW];
    for row in x.chunks(FEW) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.to_f64() * x.to_f64());
    }
    let [a, b] = halves::<4, 2>(halves(sums));
    a + b
}

/// The sum, or that of squares taken in f64 where squares may not be numbers of their type. That is rare, unless all are
/// zero.
#[inline(always)]
fn checked<T: Scalar>(sum: f64, x: &[T]) -> f64 {
    if T::WIDENS && !EXACT.contains(&sum) { in_double(x) } else { sum }
}

#[cold]
#[inline(never)]
fn in_double<T: Scalar>(x: &[T]) -> f64 {
    let mut sums = [0.0; LANES];
    add_products(&mut sums, x, x);
    total(&sums)
}

/// Adds the products, each widened before it is taken.
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

/// The sum of partial sums: in halves, which is quick and loses few digits.
#[inline(always)]
pub(crate) fn total(lanes: &[f64; LANES]) -> f64 {
    // Written out, so that all of it stays in registers.
    let [a, b] = halves::<4, 2>(halves::<8, 4>(halves::<16, 8>(halves::<32, 16>(halves(*lanes)))));
    a + b
}

/// The sums of the first and the second half.
#[inline(always)]
fn halves<const WIDTH: usize, const HALF: usize>(lanes: [f64; WIDTH]) -> [f64; HALF] {
    array::from_fn(|i| lanes[i] + lanes[i + HALF])
}

/// The sum of the squares.
pub fn sum_of_squares<T: Scalar>(x: &[T]) -> f64 {
    struct Sum<'a, T>(&'a [T]);
    impl<T: Scalar> SimdKernel for Sum<'_, T> {
        type Output = f64;
        #[inline(always)]
        fn run(self) -> f64 {
            squares(self.0)
        }
    }
    InstructionSet::best().run(Sum(x))
}
