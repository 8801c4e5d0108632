//! Entropy that can be repeated.

use crate::clock::Random;
use std::sync::atomic::{AtomicU64, Ordering};

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// All the randomness of a simulation, from one seed (SplitMix64). Anyone can guess it.
#[derive(Debug, Default)]
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    /// The same seed gives the same numbers, on every machine and in every version.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next number.
    pub fn roll(&self) -> u64 {
        let z = self.0.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A position in `[0, end)`; 0 if there is none.
    pub fn index(&self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.roll() % end.max(1)).unwrap_or(0)
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.roll().to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(seed: u64) -> [u8; 13] {
        let mut bytes = [0; 13];
        SeededRandom::new(seed).fill(&mut bytes);
        bytes
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        assert_eq!(filled(7), filled(7));
        assert_ne!(filled(7), filled(8));
        assert_eq!(SeededRandom::new(0).roll(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn an_index_stays_below_its_end() {
        let random = SeededRandom::new(3);
        assert!((0..1_000).all(|_| random.index(5) < 5));
        assert_eq!(random.index(0), 0);
    }
}
