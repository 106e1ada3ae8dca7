//! Exemplars of the duration's buckets.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use tonic::Code;

use super::label::LabelValue;

/// An RPC in a bucket of the latency histogram, with its trace.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exemplar {
    /// The trace id of OpenTelemetry and W3C Trace Context.
    pub trace_id: u128,
    /// The id of the RPC's span.
    pub span_id: u64,
    /// The status code of the RPC.
    pub code: Code,
    /// The duration of the RPC in seconds.
    pub duration: f64,
    /// The time at which the RPC ended.
    pub ended: SystemTime,
    pub(crate) label: LabelValue,
}

/// The newest sampled RPC of each bucket of a method. Allocated by the first one.
///
/// Each bucket has its own lock. An RPC only tries to lock it: if another RPC holds the lock, that one is as new.
#[derive(Debug, Default)]
pub(crate) struct Exemplars(OnceLock<Box<[Mutex<Option<Exemplar>>]>>);

impl Exemplars {
    /// Replaces the exemplar of `bucket`, best effort. `buckets` is the number of buckets, the same in every call.
    pub(crate) fn keep(&self, bucket: usize, buckets: usize, exemplar: Exemplar) {
        if self.0.get().is_none() {
            // Not `get_or_init`, which would block other RPCs meanwhile.
            let _ = self.0.set((0..buckets).map(|_| Mutex::default()).collect());
        }
        if let Some(Ok(mut newest)) = self.0.get().map(|all| all[bucket].try_lock()) {
            *newest = Some(exemplar);
        }
    }

    /// Returns the exemplar of each bucket, the unbounded one last; empty if there never was one.
    pub(crate) fn read(&self) -> Vec<Option<Exemplar>> {
        let all = self.0.get().map_or(&[][..], |all| all);
        all.iter().map(|newest| *newest.lock().unwrap_or_else(PoisonError::into_inner)).collect()
    }
}
