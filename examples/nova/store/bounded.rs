//! A map that evicts its oldest entries, so Nova can run for days.

use std::collections::BTreeMap;

use uuid::Uuid;

const LIMIT: usize = 2_000;

/// Rows by id. Ids grow with time, so the first row after the seeds is the oldest.
pub(crate) struct Bounded<V> {
    rows: BTreeMap<Uuid, V>,
    seeds: usize,
}

impl<V> Bounded<V> {
    /// The seeds are never evicted.
    pub(crate) fn new(seeds: impl IntoIterator<Item = (Uuid, V)>) -> Self {
        let rows = BTreeMap::from_iter(seeds);
        Self { seeds: rows.len(), rows }
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&V> {
        self.rows.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: Uuid) -> Option<&mut V> {
        self.rows.get_mut(&id)
    }

    pub(crate) fn insert(&mut self, id: Uuid, row: V) {
        self.rows.insert(id, row);
        if self.rows.len() > LIMIT + self.seeds {
            let oldest = self.rows.keys().nth(self.seeds).copied();
            oldest.and_then(|id| self.rows.remove(&id));
        }
    }

    pub(crate) fn remove(&mut self, id: Uuid) -> Option<V> {
        self.rows.remove(&id)
    }

    /// Oldest first.
    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.rows.values()
    }
}
