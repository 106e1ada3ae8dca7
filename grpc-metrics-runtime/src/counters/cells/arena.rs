//! Memory that one thread writes.

use std::sync::Arc;

use super::sync::AtomicU64;

/// Counters that are left unused at either end of a chunk. Processors fetch cache lines of 64 bytes in pairs,
/// so 128 bytes keep a thread's counters apart from whatever lies beside them.
#[cfg(not(cells_model))]
const PADDING: usize = 16;

/// Counters in a thread's first chunk, and in its largest. Each chunk is twice as large as the last one, up to the
/// largest: what is unused is no more than what is in use, or 4 KB.
#[cfg(not(cells_model))]
const SIZES: (usize, usize) = (108, 478);

// loom follows each counter, used or not.
#[cfg(cells_model)]
const PADDING: usize = 0;
#[cfg(cells_model)]
const SIZES: (usize, usize) = (4, 4);

/// Some counters in a row, all 0 at first.
#[derive(Debug)]
pub(super) struct Counters {
    chunk: Arc<[AtomicU64]>,
    first: usize,
}

impl Counters {
    /// With nothing beside them.
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

/// Where a thread's counters lie, one after another, whatever method or instance they are of: for one method
/// they are too few to fill cache lines.
///
/// The memory goes with the last of its counters, not with the arena.
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
    fn no_counter_is_given_twice_or_lies_near_another_chunk() {
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
