//! The trace behind a bucket.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

/// One RPC that fell into a bucket of the latency histogram, and the trace that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exemplar {
    /// The trace, as OpenTelemetry and W3C Trace Context number it.
    pub trace_id: u128,
    /// The RPC's own span.
    pub span_id: u64,
    /// How long the RPC took, in seconds.
    pub duration: f64,
    /// When it ended.
    pub ended: SystemTime,
}

/// The newest sampled RPC of each bucket of a method.
///
/// Nothing is here before the first one. Each has a lock of its own, which a scrape holds to copy it and an
/// RPC only tries: if another has it, that one's exemplar is as new.
#[derive(Debug, Default)]
pub(crate) struct Exemplars(OnceLock<Box<[Mutex<Option<Exemplar>>]>>);

impl Exemplars {
    /// `bucket` is below `buckets`, which is the same in every call.
    pub(crate) fn keep(&self, bucket: usize, buckets: usize, exemplar: Exemplar) {
        if self.0.get().is_none() {
            // Made before, so that nobody waits while it is; of two that make it, one is dropped.
            let _ = self.0.set((0..buckets).map(|_| Mutex::default()).collect());
        }
        if let Some(Ok(mut newest)) = self.0.get().map(|all| all[bucket].try_lock()) {
            *newest = Some(exemplar);
        }
    }

    /// Per bucket, the unbounded one last; empty if nothing was ever kept.
    pub(crate) fn read(&self) -> Vec<Option<Exemplar>> {
        let all = self.0.get().map_or(&[][..], |all| all);
        all.iter().map(|newest| *newest.lock().unwrap_or_else(PoisonError::into_inner)).collect()
    }
}
