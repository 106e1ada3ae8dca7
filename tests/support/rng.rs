//! Random numbers that a seed repeats: `SplitMix64`.

use std::hash::{BuildHasher, RandomState};

#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next_u64() % n
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let len = u64::try_from(from.len()).unwrap();
        from[usize::try_from(self.below(len)).unwrap()]
    }
}

/// The seed of a run: another one each time, or that of `PROPERTY_SEED`, to run one again. Printed,
/// which the test harness shows if the test fails.
pub fn seed() -> u64 {
    let seed = match std::env::var("PROPERTY_SEED") {
        Ok(seed) => seed.parse().expect("PROPERTY_SEED is no number"),
        Err(_) => RandomState::new().hash_one(()),
    };
    eprintln!("PROPERTY_SEED={seed}");
    seed
}
