//! ChaCha8 block by block, for WebAssembly: the numbers of the crate `rand_chacha` in a fifth of its code. That one
//! computes four blocks at a time with the machine's vectors, where a machine has them.
//!
//! Bernstein 2008, <https://cr.yp.to/chacha.html>; the key follows from a number as in `rand_core`.

const WORDS: usize = 16;
const ROUNDS: usize = 8;

/// A stream of words.
#[derive(Clone)]
pub(crate) struct ChaCha8Rng {
    /// Constants, the key, the number of the next block, and zeros.
    state: [u32; WORDS],
    block: [u32; WORDS],
    /// Words of the block that have been given out.
    given: usize,
}

impl ChaCha8Rng {
    pub(crate) fn seed_from_u64(mut seed: u64) -> Self {
        let mut state = [0; WORDS];
        // "expand 32-byte k"
        state[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
        for word in &mut state[4..12] {
            seed = seed.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0xA176_54E4_6FBE_17F3);
            *word = ((((seed >> 18) ^ seed) >> 27) as u32).rotate_right((seed >> 59) as u32);
        }
        Self { state, block: [0; WORDS], given: WORDS }
    }

    /// The words of the key, and how many words were given out.
    pub(crate) fn state(&self) -> ([u32; 8], u64) {
        let mut key = [0; 8];
        key.copy_from_slice(&self.state[4..12]);
        let blocks = u64::from(self.state[13]) << 32 | u64::from(self.state[12]);
        (key, (blocks * WORDS as u64 + self.given as u64).wrapping_sub(WORDS as u64))
    }

    /// A stream that goes on where another one with this state was.
    pub(crate) fn from_state(key: [u32; 8], position: u64) -> Self {
        let mut stream = Self::seed_from_u64(0);
        stream.state[4..12].copy_from_slice(&key);
        let block = position / WORDS as u64;
        (stream.state[12], stream.state[13]) = (block as u32, (block >> 32) as u32);
        let given = position as usize % WORDS;
        if given > 0 {
            stream.next_block();
            stream.given = given;
        }
        stream
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        let low = self.next_u32();
        u64::from(self.next_u32()) << 32 | u64::from(low)
    }

    #[inline(always)]
    pub(crate) fn next_u32(&mut self) -> u32 {
        if self.given == WORDS {
            self.next_block();
        }
        let word = self.block[self.given % WORDS];
        self.given += 1;
        word
    }

    #[inline(never)]
    fn next_block(&mut self) {
        let mut x = self.state;
        for _ in 0..ROUNDS / 2 {
            // Written out, so that all words stay in registers: columns, and then diagonals.
            quarter::<0, 4, 8, 12>(&mut x);
            quarter::<1, 5, 9, 13>(&mut x);
            quarter::<2, 6, 10, 14>(&mut x);
            quarter::<3, 7, 11, 15>(&mut x);
            quarter::<0, 5, 10, 15>(&mut x);
            quarter::<1, 6, 11, 12>(&mut x);
            quarter::<2, 7, 8, 13>(&mut x);
            quarter::<3, 4, 9, 14>(&mut x);
        }
        for (word, start) in x.iter_mut().zip(self.state) {
            *word = word.wrapping_add(start);
        }
        (self.block, self.given) = (x, 0);
        let (low, carry) = self.state[12].overflowing_add(1);
        (self.state[12], self.state[13]) = (low, self.state[13].wrapping_add(carry.into()));
    }
}

/// A quarter of a round.
#[inline(always)]
fn quarter<const A: usize, const B: usize, const C: usize, const D: usize>(x: &mut [u32; WORDS]) {
    x[A] = x[A].wrapping_add(x[B]);
    x[D] = (x[D] ^ x[A]).rotate_left(16);
    x[C] = x[C].wrapping_add(x[D]);
    x[B] = (x[B] ^ x[C]).rotate_left(12);
    x[A] = x[A].wrapping_add(x[B]);
    x[D] = (x[D] ^ x[A]).rotate_left(8);
    x[C] = x[C].wrapping_add(x[D]);
    x[B] = (x[B] ^ x[C]).rotate_left(7);
}

#[cfg(test)]
mod tests {
    use rand_core::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn streams_go_on_from_their_states() {
        for drawn in [0, 1, 15, 16, 17, 1000] {
            let (mut ours, mut theirs) = (ChaCha8Rng::seed_from_u64(7), rand_chacha::ChaCha8Rng::seed_from_u64(7));
            for _ in 0..drawn {
                assert_eq!(ours.next_u32(), theirs.next_u32());
            }
            let (key, position) = ours.state();
            let bytes: Vec<u8> = key.iter().flat_map(|word| word.to_le_bytes()).collect();
            assert_eq!((&bytes[..], u128::from(position)), (&theirs.get_seed()[..], theirs.get_word_pos()));
            let mut again = ChaCha8Rng::from_state(key, position);
            for _ in 0..40 {
                assert_eq!(again.next_u32(), theirs.next_u32());
            }
        }
    }

    #[test]
    fn the_words_are_those_of_rand_chacha() {
        for seed in [0, 1, 42, u64::MAX] {
            let (mut ours, mut theirs) =
                (ChaCha8Rng::seed_from_u64(seed), rand_chacha::ChaCha8Rng::seed_from_u64(seed));
            for i in 0..1000 {
                if i % 3 == 0 {
                    assert_eq!(ours.next_u32(), theirs.next_u32());
                }
                assert_eq!(ours.next_u64(), theirs.next_u64());
            }
        }
    }
}
