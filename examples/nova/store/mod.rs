//! An in-memory stand-in for Nova's database, Redis and live video. It is bounded, and its faults can change
//! at run time.

mod bounded;
mod cache;
mod faults;
mod live;
mod rows;
pub(crate) mod seed;
mod table;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use grpc_metrics_runtime::GrpcStatus;
use uuid::Uuid;

pub(crate) use cache::Cache;
pub(crate) use faults::Faults;
pub(crate) use live::{LiveLine, LiveStream, LiveStreams, Profile};
pub(crate) use rows::{Comment, Conversation, Message, Post, Settings, User};
pub(crate) use table::Table;

/// Why a store operation failed.
#[derive(Debug, thiserror::Error, GrpcStatus)]
pub(crate) enum StoreError {
    #[error("database error")]
    #[status(Internal)]
    Database,
    #[error("cache unavailable")]
    #[status(Unavailable)]
    Cache,
}

pub(crate) struct Store {
    pub(crate) users: Table<User>,
    pub(crate) conversations: Table<Conversation>,
    pub(crate) messages: Table<Message>,
    pub(crate) posts: Table<Post>,
    pub(crate) cache: Cache,
    pub(crate) live: LiveStreams,
    pub(crate) faults: Arc<Faults>,
    next_id: AtomicU64,
}

impl Store {
    /// Creates a store with the seed rows, in which every operation fails with probability `fault_rate`.
    pub(crate) fn new(fault_rate: f64) -> Self {
        let faults = Arc::new(Faults::new(fault_rate));
        Self {
            users: Table::new(seed::users(), Arc::clone(&faults)),
            conversations: Table::new(seed::conversations(), Arc::clone(&faults)),
            messages: Table::new(seed::messages(), Arc::clone(&faults)),
            posts: Table::new(seed::posts(), Arc::clone(&faults)),
            cache: Cache::new(Arc::clone(&faults)),
            live: LiveStreams::new(seed::streams()),
            faults,
            next_id: AtomicU64::new(1),
        }
    }

    /// Returns an id that sorts after all earlier ids and the seeds.
    pub(crate) fn new_id(&self) -> Uuid {
        Uuid::from_u64_pair(seed::LAST_KIND + 1, self.next_id.fetch_add(1, Ordering::Relaxed))
    }
}
