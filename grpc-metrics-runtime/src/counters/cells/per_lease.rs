//! A table with one slot per lease.

use std::array;

use super::sync::OnceLock;

/// The number of slots in the table itself, enough for the worker threads of most programs.
const INLINE: usize = 8;

/// The number of further chunks, each as large as all slots before it: a million leases.
const CHUNKS: usize = 17;

/// Values by lease, each initialised on first use. The table grows in chunks, so values never move.
#[derive(Debug)]
pub(super) struct PerLease<T> {
    inline: [OnceLock<T>; INLINE],
    chunks: OnceLock<Box<[OnceLock<Chunk<T>>; CHUNKS]>>,
}

type Chunk<T> = Box<[OnceLock<T>]>;

impl<T> Default for PerLease<T> {
    fn default() -> Self {
        Self { inline: array::from_fn(|_| OnceLock::new()), chunks: OnceLock::new() }
    }
}

/// Returns the chunk of a lease that is not inline, its index in the chunk, and the chunk's length.
#[inline]
fn locate(lease: usize) -> (usize, usize, usize) {
    let chunk = (lease / INLINE).ilog2();
    let len = INLINE << chunk;
    (chunk as usize, lease - len, len)
}

impl<T> PerLease<T> {
    #[inline]
    pub(super) fn get(&self, lease: usize) -> Option<&T> {
        match self.inline.get(lease) {
            Some(slot) => slot.get(),
            None => self.get_in_chunks(lease),
        }
    }

    #[inline]
    fn get_in_chunks(&self, lease: usize) -> Option<&T> {
        let (chunk, i, _) = locate(lease);
        self.chunks.get()?.get(chunk)?.get()?.get(i)?.get()
    }

    /// Returns the value of the lease, or `None` beyond a million leases.
    pub(super) fn get_or_init(&self, lease: usize, init: impl FnOnce() -> T) -> Option<&T> {
        let slot = if let Some(slot) = self.inline.get(lease) {
            slot
        } else {
            let (chunk, i, len) = locate(lease);
            let chunks = || Box::new(array::from_fn(|_| OnceLock::new()));
            let chunk = self.chunks.get_or_init(chunks).get(chunk)?;
            chunk.get_or_init(|| (0..len).map(|_| OnceLock::new()).collect()).get(i)?
        };
        Some(slot.get_or_init(init))
    }

    /// Returns the initialised values, by lease.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let chunks = self.chunks.get().into_iter().flat_map(|chunks| chunks.iter());
        let chunks = chunks.filter_map(OnceLock::get).flatten();
        self.inline.iter().chain(chunks).filter_map(OnceLock::get)
    }
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use super::*;

    #[test]
    fn each_lease_has_its_own_slot() {
        let table = PerLease::default();
        let leases = || (0..5_000).chain([70_000]);
        for lease in leases() {
            assert_eq!(table.get(lease), None);
            assert_eq!(table.get_or_init(lease, || lease), Some(&lease));
        }
        for lease in leases() {
            assert_eq!(table.get(lease), Some(&lease));
        }
        assert!(table.iter().copied().eq(leases()));
    }

    #[test]
    fn there_is_no_slot_beyond_the_last() {
        let table = PerLease::default();
        for lease in [INLINE << CHUNKS, usize::MAX] {
            assert_eq!(table.get(lease), None);
            assert_eq!(table.get_or_init(lease, || ()), None);
        }
    }
}
