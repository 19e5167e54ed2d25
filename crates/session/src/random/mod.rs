//! The session's random numbers: one seeded stream for initial weights, dropout and permutations.
//!
//! ChaCha8 is counter-based, so its state is a few numbers, and the same seed gives the same numbers on every engine
//! and machine. libtorch's own generator is not used.

#[cfg(any(test, target_family = "wasm"))]
pub(crate) mod chacha;

#[cfg(not(target_family = "wasm"))]
use rand_chacha::ChaCha8Rng;
#[cfg(not(target_family = "wasm"))]
use rand_core::{Rng, SeedableRng};

use stepwell_optim::Result;
use stepwell_optim::fallible::collected;

#[cfg(target_family = "wasm")]
use crate::random::chacha::ChaCha8Rng;

/// Words of 32 bits of the key of a generator.
pub(crate) const KEY_WORDS: usize = 8;

/// A stream of random numbers.
#[derive(Clone)]
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(ChaCha8Rng::seed_from_u64(seed))
    }

    /// The words of the key, and how many words of 32 bits were drawn.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn state(&self) -> ([u32; KEY_WORDS], u64) {
        let key = self.0.get_seed();
        let mut words = [0; KEY_WORDS];
        for (word, bytes) in words.iter_mut().zip(key.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        // A machine does not draw 2^64 words.
        (words, self.0.get_word_pos() as u64)
    }

    /// A generator that goes on where another one with this state was.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn from_state(words: [u32; KEY_WORDS], position: u64) -> Self {
        let mut key = [0; 4 * KEY_WORDS];
        for (bytes, word) in key.as_chunks_mut().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_word_pos(position.into());
        Random(generator)
    }

    /// The words of the key, and how many words of 32 bits were drawn.
    #[cfg(target_family = "wasm")]
    pub(crate) fn state(&self) -> ([u32; KEY_WORDS], u64) {
        self.0.state()
    }

    /// A generator that goes on where another one with this state was.
    #[cfg(target_family = "wasm")]
    pub(crate) fn from_state(words: [u32; KEY_WORDS], position: u64) -> Self {
        Random(ChaCha8Rng::from_state(words, position))
    }

    /// Uniform in [0, 1), on a grid of 2^-53.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in [-bound, bound).
    pub(crate) fn uniform(&mut self, bound: f64) -> f64 {
        (2.0 * self.unit() - 1.0) * bound
    }

    /// Standard normal, by the method of Box and Muller. `libm`, and not the platform's functions, for equal bits.
    pub(crate) fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.unit(), self.unit());
        (-2.0 * libm::log(u)).sqrt() * libm::cos(2.0 * std::f64::consts::PI * v)
    }

    /// True with probability `p`, on a grid of 2^-32.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        f64::from(self.0.next_u32()) < p * 4_294_967_296.0
    }

    /// The numbers from 0 to n - 1 in random order.
    ///
    /// # Errors
    /// [`Code::Memory`](stepwell_optim::Code::Memory), and no number was drawn.
    pub(crate) fn permutation(&mut self, n: usize) -> Result<Vec<i64>> {
        let mut order = collected((0..n).map(|i| i as i64))?;
        for i in (1..n).rev() {
            order.swap(i, (self.unit() * (i + 1) as f64) as usize);
        }
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_holds_every_number_once() {
        let mut order = Random::new(7).permutation(1000).unwrap();
        assert_ne!(order, (0..1000).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let mut random = Random::new(1);
        let numbers: Vec<f64> = (0..100_000).map(|_| random.normal()).collect();
        let mean = numbers.iter().sum::<f64>() / 1e5;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }
}
