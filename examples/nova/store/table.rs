//! A database table: rows by id, with simulated latency and failures.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::{Faults, StoreError, bounded::Bounded};

pub(crate) struct Table<V> {
    rows: Mutex<Bounded<V>>,
    faults: Arc<Faults>,
}

impl<V: Clone> Table<V> {
    pub(super) fn new(seeds: impl IntoIterator<Item = (Uuid, V)>, faults: Arc<Faults>) -> Self {
        Self { rows: Mutex::new(Bounded::new(seeds)), faults }
    }

    pub(crate) async fn get(&self, id: Uuid) -> Result<Option<V>, StoreError> {
        Ok(self.rows().await?.get(id).cloned())
    }

    pub(crate) async fn insert(&self, id: Uuid, row: V) -> Result<(), StoreError> {
        self.rows().await?.insert(id, row);
        Ok(())
    }

    /// Inserts unless a row `conflicts`. Returns whether it inserted.
    pub(crate) async fn insert_unique(
        &self,
        id: Uuid,
        row: V,
        conflicts: impl Fn(&V) -> bool,
    ) -> Result<bool, StoreError> {
        let mut rows = self.rows().await?;
        let free = !rows.values().any(conflicts);
        if free {
            rows.insert(id, row);
        }
        Ok(free)
    }

    /// `None` if there is no such row.
    pub(crate) async fn update<R>(
        &self,
        id: Uuid,
        change: impl FnOnce(&mut V) -> R,
    ) -> Result<Option<R>, StoreError> {
        Ok(self.rows().await?.get_mut(id).map(change))
    }

    /// `None` if there was no such row.
    pub(crate) async fn remove(&self, id: Uuid) -> Result<Option<V>, StoreError> {
        Ok(self.rows().await?.remove(id))
    }

    /// Up to `limit` rows, newest first.
    pub(crate) async fn find(
        &self,
        limit: usize,
        wanted: impl Fn(&V) -> bool,
    ) -> Result<Vec<V>, StoreError> {
        let rows = self.rows().await?;
        Ok(rows.values().rev().filter(|row| wanted(row)).take(limit).cloned().collect())
    }

    async fn rows(&self) -> Result<MutexGuard<'_, Bounded<V>>, StoreError> {
        self.faults.database().await?;
        Ok(self.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
