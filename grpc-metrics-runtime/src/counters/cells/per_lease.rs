//! A table with a place for each lease.

use std::array;

use super::sync::OnceLock;

/// The leases whose places lie in the table itself: enough for most programs' worker threads.
const NEAR: usize = 8;

/// How often the table doubles: a million leases.
const CHUNKS: usize = 17;

/// Values by lease, each made when it is first needed. Any number of leases finds its place without moving
/// what is there, since the places beyond the first come in chunks, each as large as all before it.
#[derive(Debug)]
pub(super) struct PerLease<T> {
    near: [OnceLock<T>; NEAR],
    far: OnceLock<Box<[OnceLock<Chunk<T>>; CHUNKS]>>,
}

type Chunk<T> = Box<[OnceLock<T>]>;

impl<T> Default for PerLease<T> {
    fn default() -> Self {
        Self { near: array::from_fn(|_| OnceLock::new()), far: OnceLock::new() }
    }
}

/// The chunk that a lease beyond the near ones is in, its place there, and the chunk's length.
#[inline]
fn place(lease: usize) -> (usize, usize, usize) {
    let chunk = (lease / NEAR).ilog2();
    let len = NEAR << chunk;
    (chunk as usize, lease - len, len)
}

impl<T> PerLease<T> {
    #[inline]
    pub(super) fn get(&self, lease: usize) -> Option<&T> {
        match self.near.get(lease) {
            Some(place) => place.get(),
            None => self.get_far(lease),
        }
    }

    #[inline]
    fn get_far(&self, lease: usize) -> Option<&T> {
        let (chunk, i, _) = place(lease);
        self.far.get()?.get(chunk)?.get()?.get(i)?.get()
    }

    /// `None` past a million leases.
    pub(super) fn get_or_init(&self, lease: usize, init: impl FnOnce() -> T) -> Option<&T> {
        let place = if let Some(place) = self.near.get(lease) {
            place
        } else {
            let (chunk, i, len) = place(lease);
            let chunks = || Box::new(array::from_fn(|_| OnceLock::new()));
            let chunk = self.far.get_or_init(chunks).get(chunk)?;
            chunk.get_or_init(|| (0..len).map(|_| OnceLock::new()).collect()).get(i)?
        };
        Some(place.get_or_init(init))
    }

    /// Those that are there, by lease.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let chunks = self.far.get().into_iter().flat_map(|chunks| chunks.iter());
        let far = chunks.filter_map(OnceLock::get).flatten();
        self.near.iter().chain(far).filter_map(OnceLock::get)
    }
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use super::*;

    #[test]
    fn each_lease_has_a_place_of_its_own() {
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
    fn past_the_last_place_there_is_none() {
        let table = PerLease::default();
        for lease in [NEAR << CHUNKS, usize::MAX] {
            assert_eq!(table.get(lease), None);
            assert_eq!(table.get_or_init(lease, || ()), None);
        }
    }
}
