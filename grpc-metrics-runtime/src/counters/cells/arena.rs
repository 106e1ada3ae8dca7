//! Memory that a single thread writes.

use std::sync::Arc;

use super::sync::AtomicU64;

/// The number of unused counters at either end of a chunk. Processors prefetch pairs of 64-byte cache lines, so 128
/// bytes prevent false sharing with neighbouring memory.
#[cfg(not(cells_model))]
const PADDING: usize = 16;

/// The number of counters in a thread's first and in its largest chunk. Chunk sizes double in between, so unused memory
/// is at most as large as used memory, or 4 KB.
#[cfg(not(cells_model))]
const SIZES: (usize, usize) = (108, 478);

// loom tracks each counter, used or not.
#[cfg(cells_model)]
const PADDING: usize = 0;
#[cfg(cells_model)]
const SIZES: (usize, usize) = (4, 4);

/// Consecutive counters, initially 0.
#[derive(Debug)]
pub(super) struct Counters {
    chunk: Arc<[AtomicU64]>,
    first: usize,
}

impl Counters {
    /// Returns counters in a chunk of their own.
    pub(super) fn alone(counters: usize) -> Self {
        Self { chunk: chunk_for(counters), first: PADDING }
    }

    #[inline]
    pub(super) fn get(&self, i: usize) -> &AtomicU64 {
        &self.chunk[self.first + i]
    }
}

fn chunk_for(counters: usize) -> Arc<[AtomicU64]> {
    (0..PADDING + counters + PADDING).map(|_| AtomicU64::new(0)).collect()
}

/// The arena of a thread's counters, of all methods and instances: those of one method are too few to fill cache lines.
///
/// A chunk is freed with the last of its counters, not with the arena.
#[derive(Debug, Default)]
pub(super) struct Arena {
    chunk: Option<Arc<[AtomicU64]>>,
    size: usize,
    used: usize,
}

impl Arena {
    pub(super) fn allocate(&mut self, counters: usize) -> Counters {
        let chunk = match &self.chunk {
            Some(chunk) if counters <= self.size - self.used => chunk,
            _ => {
                let (least, most) = SIZES;
                self.size = (2 * self.size).clamp(least, most).max(counters);
                self.used = 0;
                self.chunk.insert(chunk_for(self.size))
            }
        };
        let first = PADDING + self.used;
        self.used += counters;
        Counters { chunk: chunk.clone(), first }
    }
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use super::*;

    #[test]
    fn counters_are_disjoint_and_padded() {
        let mut arena = Arena::default();
        let mut seen = Vec::new();
        for counters in [18, 1, 107, 108, 478, 479, 2_000, 18, 16].repeat(3) {
            let given = arena.allocate(counters);
            for i in 0..counters {
                assert_eq!(given.get(i).as_ptr(), given.get(0).as_ptr().wrapping_add(i));
            }
            let [first, end] = [0, counters - 1].map(|i| given.get(i).as_ptr().addr());
            let [lowest, highest] =
                [0, given.chunk.len() - 1].map(|i| given.chunk[i].as_ptr().addr());
            assert!(first >= lowest + 128 && end + 128 <= highest, "{counters}");
            seen.push((first, end, given));
        }
        seen.sort_by_key(|(first, ..)| *first);
        assert!(seen.windows(2).all(|two| two[0].1 < two[1].0));
    }
}
