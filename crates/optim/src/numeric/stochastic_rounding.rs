//! Stochastic rounding: up or down at random, so that small changes survive on average.
//!
//! A bfloat16 average that moves by 1 % of its error stops once that is less than half an ulp. Rounded to nearest, an
//! average with a decay of 0.99 may stop 25 % short. Rounded stochastically, it is unbiased and stays within one or two
//! ulps. Gupta et al. 2015, <https://arxiv.org/abs/1502.02551>.

use half::bf16;

/// Rounds averages to bfloat16. The random bits are a hash of the average, of the weight and of the index of the
/// element, which starts at `first`. So the result does not depend on threads or chunks, and a restored state continues
/// in the same way. The random bits repeat while a weight does not change; then its average does not matter.
#[inline(always)]
pub(crate) fn round_stochastically(averages: &[f32], weights: &[f32], first: usize, rounded: &mut [bf16]) {
    let length = averages.len();
    let (weights, rounded) = (&weights[..length], &mut rounded[..length]);
    for i in 0..length {
        let bits = averages[i].to_bits();
        let index = (first as u32).wrapping_add(i as u32).wrapping_mul(0x9e37_79b9);
        let chance = hash(weights[i].to_bits().rotate_left(16) ^ bits ^ index) >> 16;
        // A carry into the upper half rounds up. Infinity and NaN stay what they are.
        let is_finite = bits & 0x7f80_0000 != 0x7f80_0000;
        let quiet = if averages[i].is_nan() { 0x40 } else { 0 };
        let upper = if is_finite { bits.wrapping_add(chance) >> 16 } else { (bits >> 16) | quiet };
        rounded[i] = bf16::from_bits(upper as u16);
    }
}

/// A hash in which each input bit affects each output bit. <https://github.com/skeeto/hash-prospector>
#[inline(always)]
fn hash(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}
