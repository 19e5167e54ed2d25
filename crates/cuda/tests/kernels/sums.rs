//! Sums of squares in the order of the CPU.

use half::{bf16, f16};
use stepwell_optim::{CHUNK_LEN, Element, SquaresEntry, sum_of_squares};

use crate::arrays::Array;

const BLOCK_LEN: usize = 512;
const LANES: usize = 64;

/// Sums of one chunk each.
type Sums = Vec<f64>;

/// The sums of squares of the gradients in memory.
pub(crate) fn gradient_sums(element: Element, gradient: &Array) -> Sums {
    let blocks = |widened: Vec<f32>| {
        widened
            .chunks(CHUNK_LEN)
            .map(|chunk| chunk.chunks(BLOCK_LEN).fold(0.0, |sum, x| sum + sum_of_squares(x)))
            .collect()
    };
    match element {
        Element::Float => gradient.elements::<f32>().chunks(CHUNK_LEN).map(sum_of_squares).collect(),
        Element::Double => gradient.elements::<f64>().chunks(CHUNK_LEN).map(sum_of_squares).collect(),
        Element::Half => blocks(gradient.elements::<f16>().iter().map(|x| x.to_f32()).collect()),
        Element::BFloat16 => blocks(gradient.elements::<bf16>().iter().map(|x| x.to_f32()).collect()),
    }
}

/// The sums of squares of the parameters in f32 that a first stage takes.
pub(crate) fn parameter_sums(parameter: &[f32]) -> Sums {
    parameter.chunks(CHUNK_LEN).map(|chunk| chunk.chunks(BLOCK_LEN).fold(0.0, |sum, x| sum + block_sum(x))).collect()
}

/// The sum of a block. Each lane of a whole block adds eight squares in f32.
fn block_sum(block: &[f32]) -> f64 {
    if block.len() < BLOCK_LEN {
        return sum_of_squares(block);
    }
    let mut lanes: Vec<f64> = (0..LANES)
        .map(|lane| f64::from(block.iter().skip(lane).step_by(LANES).fold(0.0_f32, |sum, x| sum + x * x)))
        .collect();
    let mut in_double: Vec<f64> = (0..LANES)
        .map(|lane| block.iter().skip(lane).step_by(LANES).fold(0.0, |sum, x| sum + f64::from(*x) * f64::from(*x)))
        .collect();
    let total = halve(&mut lanes);
    if (1e-24..=f64::from(f32::MAX)).contains(&total) { total } else { halve(&mut in_double) }
}

fn halve(lanes: &mut Vec<f64>) -> f64 {
    while lanes.len() > 1 {
        let rest = lanes.split_off(lanes.len() / 2);
        lanes.iter_mut().zip(rest).for_each(|(lane, other)| *lane += other);
    }
    lanes[0]
}

/// Panics if the sums of a tensor's chunks are not these.
pub(crate) fn check_sums(sums: &[SquaresEntry], value: fn(&SquaresEntry) -> f64, expected: &[f64], context: &str) {
    let bits = |x: f64| if x.is_nan() { u64::MAX } else { x.to_bits() };
    for (index, (sum, expected)) in sums.iter().zip(expected).enumerate() {
        let sum = value(sum);
        assert!(bits(sum) == bits(*expected), "{context}: the sums of chunk {index} differ: {sum:e}, {expected:e}");
    }
}
