//! Sums of squares in f64, in an order that depends on nothing but the length.

use crate::Scalar;
use crate::instruction_set::{InstructionSet, Work};

/// How many partial sums run side by side. Fixed, so that the result is the same for every instruction set.
pub(crate) const LANES: usize = 16;

/// How many elements are worked on before their products are summed, so that they are still in the nearest cache; a
/// multiple of the lanes.
pub(crate) const BLOCK: usize = 512;

/// Partial sums of squares, the first of the first, the seventeenth, ..
#[derive(Clone, Copy, Default)]
pub(crate) struct Squares([f64; LANES]);

impl Squares {
    /// Adds the squares. Every call but the last has a number of elements that is a multiple of the lanes, or the result
    /// depends on where the calls are cut.
    #[inline(always)]
    pub(crate) fn add<T: Scalar>(&mut self, x: &[T]) {
        // A copy of its own, which the compiler keeps in registers.
        let mut lanes = self.0;
        let mut chunks = x.chunks_exact(LANES);
        for chunk in &mut chunks {
            for lane in 0..LANES {
                lanes[lane] += chunk[lane].to_f64() * chunk[lane].to_f64();
            }
        }
        for (lane, x) in lanes.iter_mut().zip(chunks.remainder()) {
            *lane += x.to_f64() * x.to_f64();
        }
        self.0 = lanes;
    }

    /// The sum of all.
    #[inline(always)]
    pub(crate) fn sum(&self) -> f64 {
        // From the first on: the `sum` of an iterator begins with -0.
        self.0.iter().fold(0.0, |sum, lane| sum + lane)
    }
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
