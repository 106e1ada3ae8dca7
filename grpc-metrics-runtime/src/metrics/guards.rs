//! How a [`RequestGuard`] finds the counters of its method.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tonic::Request;
use tonic::metadata::MetadataMap;

use super::GrpcMetrics;
use crate::catalog::MethodKey;
use crate::counters::MethodCounters;
use crate::rpc::{Deadline, RequestGuard, Target};

impl RequestGuard {
    /// Starts an RPC in the process-wide [`GrpcMetrics`].
    ///
    /// The arguments are the labels. They are `&'static str`, because labels made of data, such as the
    /// path of a request, let clients fill the server's memory.
    pub fn new(service: &'static str, method: &'static str) -> Self {
        Self::start(Target::Global(global(MethodKey { service, method })), Deadline::NONE)
    }

    /// Starts an RPC in the process-wide [`GrpcMetrics`], and takes its deadline from the request.
    pub fn for_request<T>(
        service: &'static str,
        method: &'static str,
        request: &Request<T>,
    ) -> Self {
        Self::for_metadata(service, method, request.metadata())
    }

    /// Starts an RPC in the process-wide [`GrpcMetrics`], and takes its deadline from the request's
    /// metadata.
    pub fn for_metadata(
        service: &'static str,
        method: &'static str,
        metadata: &MetadataMap,
    ) -> Self {
        Self::start(Target::Global(global(MethodKey { service, method })), Deadline::of(metadata))
    }
}

impl GrpcMetrics {
    /// Opens a guard for an RPC that the attribute can't reach, in this instance.
    ///
    /// Looks the method up under a lock; [`RequestGuard::new`] does not, for the process-wide instance.
    pub fn guard(&self, service: &'static str, method: &'static str) -> RequestGuard {
        let metrics = self.named(MethodKey { service, method });
        RequestGuard::start(Target::Own(metrics), Deadline::NONE)
    }
}

type ByKey = HashMap<MethodKey, &'static MethodCounters>;

/// The counters under these labels in the process-wide instance. Each thread remembers those it has
/// used, so that only its first guard for a method takes a lock.
fn global(key: MethodKey) -> &'static MethodCounters {
    thread_local! {
        static SEEN: RefCell<ByKey> = RefCell::default();
    }
    let find = || find_global(key);
    // Without the memory, while the thread's locals are being torn down.
    let seen = SEEN.try_with(|seen| *seen.borrow_mut().entry(key).or_insert_with(find));
    seen.unwrap_or_else(|_| find())
}

fn find_global(key: MethodKey) -> &'static MethodCounters {
    static FOUND: Mutex<Option<ByKey>> = Mutex::new(None);
    let metrics = GrpcMetrics::global();
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let found = found.get_or_insert_default().entry(key);
    found.or_insert_with(|| {
        // Leaked once a method: the process-wide instance stays anyway.
        Box::leak(Box::new(metrics.named(key)))
    })
}
