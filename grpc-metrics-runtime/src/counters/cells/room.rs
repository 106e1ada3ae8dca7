//! Memory that one thread writes.

use std::sync::Arc;

use super::sync::AtomicU64;

/// So many counters are left unused at either end of a room. Processors fetch cache lines of 64 bytes in pairs,
/// so 128 bytes keep a thread's counters apart from whatever lies beside them.
#[cfg(not(cells_model))]
const APART: usize = 16;

/// So many counters a thread has room for at first, and then twice as many as the last time, up to the
/// most: what waits for its use is no more than what is in use, or 4 KB.
#[cfg(not(cells_model))]
const SIZES: (usize, usize) = (108, 478);

// loom follows each counter, used or not.
#[cfg(cells_model)]
const APART: usize = 0;
#[cfg(cells_model)]
const SIZES: (usize, usize) = (4, 4);

/// Some counters in a row, all 0 at first.
#[derive(Debug)]
pub(super) struct Counters {
    room: Arc<[AtomicU64]>,
    first: usize,
}

impl Counters {
    /// With nothing beside them.
    pub(super) fn alone(counters: usize) -> Self {
        Self { room: room_for(counters), first: APART }
    }

    #[inline]
    pub(super) fn get(&self, i: usize) -> &AtomicU64 {
        &self.room[self.first + i]
    }
}

fn room_for(counters: usize) -> Arc<[AtomicU64]> {
    (0..APART + counters + APART).map(|_| AtomicU64::new(0)).collect()
}

/// Where a thread's counters lie, one after another, whatever method or instance they are of: for one method
/// they are too few to fill cache lines.
///
/// The memory goes with the last of its counters, not with the room.
#[derive(Debug, Default)]
pub(super) struct Room {
    counters: Option<Arc<[AtomicU64]>>,
    size: usize,
    given: usize,
}

impl Room {
    pub(super) fn give(&mut self, counters: usize) -> Counters {
        let room = match &self.counters {
            Some(room) if counters <= self.size - self.given => room,
            _ => {
                let (least, most) = SIZES;
                self.size = (2 * self.size).clamp(least, most).max(counters);
                self.given = 0;
                self.counters.insert(room_for(self.size))
            }
        };
        let first = APART + self.given;
        self.given += counters;
        Counters { room: room.clone(), first }
    }
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use super::*;

    #[test]
    fn no_counter_is_given_twice_or_lies_near_another_room_s() {
        let mut room = Room::default();
        let mut seen = Vec::new();
        for counters in [18, 1, 107, 108, 478, 479, 2_000, 18, 16].repeat(3) {
            let given = room.give(counters);
            for i in 0..counters {
                assert_eq!(given.get(i).as_ptr(), given.get(0).as_ptr().wrapping_add(i));
            }
            let [first, end] = [0, counters - 1].map(|i| given.get(i).as_ptr().addr());
            let [lowest, highest] =
                [0, given.room.len() - 1].map(|i| given.room[i].as_ptr().addr());
            assert!(first >= lowest + 128 && end + 128 <= highest, "{counters}");
            seen.push((first, end, given));
        }
        seen.sort_by_key(|(first, ..)| *first);
        assert!(seen.windows(2).all(|two| two[0].1 < two[1].0));
    }
}
