//! Rounding up or down by chance, so that what is too small for a digit is not lost but comes in its share of times.
//!
//! An average that moves by a hundredth of what it lacks stands still in 16 bits once that is less than half a digit:
//! rounded to the nearest, one with a share of 0.99 may stop a quarter short. Rounded up with the probability of its nearness it is
//! right in the mean, and within a digit or two at any time. Gupta et al. 2015, <https://arxiv.org/abs/1502.02551>.

use half::bf16;

/// The average of an element, in 32 bits, to bfloat16. What decides is the bits of the average and of the weight, and the
/// index of the element, which begins at `first`: they depend neither on threads nor on how a tensor is cut, and a state
/// that was saved goes on as the one before it would have. While a weight does not move, neither does its average matter.
#[inline(always)]
pub(crate) fn round_stochastically(averages: &[f32], weights: &[f32], first: usize, rounded: &mut [bf16]) {
    let length = averages.len();
    let (weights, rounded) = (&weights[..length], &mut rounded[..length]);
    for i in 0..length {
        let bits = averages[i].to_bits();
        let index = (first as u32).wrapping_add(i as u32).wrapping_mul(0x9e37_79b9);
        let chance = hash(weights[i].to_bits().rotate_left(16) ^ bits ^ index) >> 16;
        // A carry into the upper half is a digit more. What is infinite or not a number keeps its kind.
        let is_finite = bits & 0x7f80_0000 != 0x7f80_0000;
        let quiet = if averages[i].is_nan() { 0x40 } else { 0 };
        let upper = if is_finite { bits.wrapping_add(chance) >> 16 } else { (bits >> 16) | quiet };
        rounded[i] = bf16::from_bits(upper as u16);
    }
}

/// Every bit of the result depends on every bit given. <https://github.com/skeeto/hash-prospector>
#[inline(always)]
fn hash(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}
