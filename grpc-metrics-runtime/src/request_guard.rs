//! The guard for RPCs that no attribute can reach.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tonic::metadata::MetadataMap;
use tonic::{Code, Request};

use crate::deadline::Deadline;
use crate::guard::Measured;
use crate::metrics::GrpcMetrics;
use crate::target::{MethodMetrics, Target};

/// Measures one RPC by hand: for a service written without tonic's traits, a tower layer, a proxy.
///
/// The RPC starts with the guard and ends with the first [`complete`](RequestGuard::complete) on it or
/// any of its clones. If the last clone is dropped before, that is an end too: `CANCELLED`, or
/// `DEADLINE_EXCEEDED` once the time of the request's `grpc-timeout` is up, or `UNKNOWN` if a panic drops it.
/// Nothing is lost on a forgotten path.
///
/// ```
/// use grpc_metrics_runtime::RequestGuard;
/// use grpc_metrics_runtime::tonic::{Code, Status};
///
/// fn proxy(forward: impl Fn() -> Result<(), Status>) -> Result<(), Status> {
///     let guard = RequestGuard::new("shop.Proxy", "Forward");
///     forward().inspect_err(|status| guard.complete(status.code()))?;
///     guard.complete(Code::Ok);
///     Ok(())
/// }
/// # proxy(|| Ok(())).unwrap();
/// ```
///
/// What an RPC is called here that no instrumented method is called, shows as `unary`: a guard does not know
/// what it guards. So leave it out of percentiles by name if it is a stream.
///
/// A guard costs one allocation, which its clones share.
#[derive(Clone, Debug)]
#[must_use = "the RPC ends when the guard is dropped"]
pub struct RequestGuard {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    measured: Measured,
    ended: AtomicBool,
}

impl RequestGuard {
    /// Starts an RPC in the process-wide [`GrpcMetrics`].
    ///
    /// The arguments are the labels. They are `&'static str`, because labels made of data, such as the
    /// path of a request, let clients fill the server's memory.
    pub fn new(service: &'static str, method: &'static str) -> Self {
        Self::start(Target::Global(global(service, method)), Deadline::NONE)
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
        Self::start(Target::Global(global(service, method)), Deadline::of(metadata))
    }

    pub(crate) fn start(target: Target, deadline: Deadline) -> Self {
        let measured = Measured::start(target, deadline);
        Self { shared: Arc::new(Shared { measured, ended: AtomicBool::new(false) }) }
    }

    /// Ends the RPC with this code. The first call counts, later ones change nothing.
    pub fn complete(&self, code: Code) {
        // Relaxed: the flag guards nothing but itself, and one of two callers sees `false`.
        if !self.shared.ended.swap(true, Ordering::Relaxed) {
            self.shared.measured.end(code);
        }
    }
}

impl GrpcMetrics {
    /// Opens a guard for an RPC that the attribute can't reach, in this instance.
    ///
    /// Looks the method up under a lock; [`RequestGuard::new`] does not, for the process-wide instance.
    pub fn guard(&self, service: &'static str, method: &'static str) -> RequestGuard {
        let metrics = self.named(service, method);
        RequestGuard::start(Target::Own(metrics), Deadline::NONE)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !*self.ended.get_mut() {
            self.measured.drop_unfinished();
        }
    }
}

type ByLabels = HashMap<(&'static str, &'static str), &'static MethodMetrics>;

/// The counters under these labels in the process-wide instance. Each thread remembers those it has
/// used, so that only its first guard for a method takes a lock.
fn global(service: &'static str, method: &'static str) -> &'static MethodMetrics {
    thread_local! {
        static SEEN: RefCell<ByLabels> = RefCell::default();
    }
    let find = || find_global(service, method);
    // Without the memory, while the thread's locals are being torn down.
    let seen =
        SEEN.try_with(|seen| *seen.borrow_mut().entry((service, method)).or_insert_with(find));
    seen.unwrap_or_else(|_| find())
}

fn find_global(service: &'static str, method: &'static str) -> &'static MethodMetrics {
    static FOUND: Mutex<Option<ByLabels>> = Mutex::new(None);
    let metrics = GrpcMetrics::global();
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let found = found.get_or_insert_default().entry((service, method));
    found.or_insert_with(|| {
        // Leaked once a method: the process-wide instance stays anyway.
        Box::leak(Box::new(metrics.named(service, method)))
    })
}
