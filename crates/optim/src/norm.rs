//! Sums of squares in f64, in an order that depends on nothing but the length.

use crate::Scalar;
use crate::instruction_set::{InstructionSet, Work};

/// How many partial sums run side by side. Fixed, so that the result is the same for every instruction set; and more than
/// the compiler unrolls, so that it makes vector instructions of the loop over them.
pub(crate) const LANES: usize = 64;

/// How many elements are worked on before their products are summed, so that they are still in the nearest cache; a
/// multiple of the lanes.
pub(crate) const BLOCK: usize = 512;

/// Partial sums of squares, of the first and every 64th after it, of the second, ..
#[derive(Clone, Copy)]
pub(crate) struct Squares([f64; LANES]);

impl Squares {
    /// Adds the squares. Every call but the last has a number of elements that is a multiple of the lanes, or the result
    /// depends on where the calls are cut.
    #[inline(always)]
    pub(crate) fn add<T: Scalar>(&mut self, x: &[T]) {
        for chunk in x.chunks(LANES) {
            for (lane, x) in self.0.iter_mut().zip(chunk) {
                *lane += x.to_f64() * x.to_f64();
            }
        }
    }

    /// The sum of all.
    #[inline(always)]
    pub(crate) fn sum(&self) -> f64 {
        total(&self.0)
    }
}

impl Default for Squares {
    fn default() -> Self {
        Self([0.0; LANES])
    }
}

/// The sum of partial sums: in halves, which is quick and loses few digits.
#[inline(always)]
pub(crate) fn total(lanes: &[f64; LANES]) -> f64 {
    let mut lanes = *lanes;
    let mut width = LANES / 2;
    while width > 0 {
        let (low, high) = lanes.split_at_mut(width);
        low.iter_mut().zip(high).for_each(|(low, high)| *low += *high);
        width /= 2;
    }
    lanes[0]
}

/// The sum of the squares.
pub fn sum_of_squares<T: Scalar>(x: &[T]) -> f64 {
    struct Sum<'a, T>(&'a [T]);
    impl<T: Scalar> Work for Sum<'_, T> {
        type Output = f64;
        #[inline(always)]
        fn run(self) -> f64 {
            let mut squares = Squares::default();
            squares.add(self.0);
            squares.sum()
        }
    }
    InstructionSet::best().run(Sum(x))
}
