//! How a [`RequestGuard`] is opened, and how it finds the counters of its method.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tonic::Request;
use tonic::metadata::MetadataMap;

use super::GrpcMetrics;
use crate::catalog::MethodKey;
use crate::counters::MethodCounters;
use crate::grpc::MethodKind;
use crate::rpc::{Deadline, RequestGuard, Target};

impl RequestGuard {
    /// Starts an RPC in the process-wide [`GrpcMetrics`].
    ///
    /// The arguments are the labels. They are `&'static str`, because labels made of data, such as the
    /// path of a request, let clients fill the server's memory.
    pub fn new(service: &'static str, method: &'static str) -> Self {
        Self::builder(service, method).start()
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
        Self::builder(service, method).metadata(metadata).start()
    }

    /// Returns a builder for a guard with a kind, a deadline or an instance of its own.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use grpc_metrics_runtime::{MethodKind, RequestGuard};
    ///
    /// let guard = RequestGuard::builder("shop.Proxy", "Watch")
    ///     .kind(MethodKind::ServerStream)
    ///     .timeout(Duration::from_secs(5))
    ///     .start();
    /// # guard.complete(grpc_metrics_runtime::tonic::Code::Ok);
    /// ```
    pub fn builder(service: &'static str, method: &'static str) -> RequestGuardBuilder<'static> {
        RequestGuardBuilder {
            key: MethodKey { service, method },
            metrics: None,
            kind: MethodKind::Unary,
            deadline: Deadline::NONE,
        }
    }
}

/// Starts a [`RequestGuard`]; see [`RequestGuard::builder`].
#[derive(Clone, Copy, Debug)]
#[must_use = "the RPC does not start until `start` is called"]
pub struct RequestGuardBuilder<'a> {
    key: MethodKey,
    metrics: Option<&'a GrpcMetrics>,
    kind: MethodKind,
    deadline: Deadline,
}

impl<'a> RequestGuardBuilder<'a> {
    /// Sets the method's kind, for `grpc_server_method_info`. The first guard of a method decides; the kind of an
    /// instrumented method stays.
    pub fn kind(mut self, kind: MethodKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the deadline: a guard that is dropped after this time counts as `DEADLINE_EXCEEDED`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.deadline = Deadline::from_timeout(timeout);
        self
    }

    /// Takes the deadline from the `grpc-timeout` of a request's metadata.
    pub fn metadata(mut self, metadata: &MetadataMap) -> Self {
        self.deadline = Deadline::from_headers(metadata.as_ref());
        self
    }

    /// Counts in this instance instead of the process-wide one. Looks the method up under a lock, which
    /// the process-wide instance does not.
    pub fn metrics<'b>(self, metrics: &'b GrpcMetrics) -> RequestGuardBuilder<'b>
    where
        'a: 'b,
    {
        RequestGuardBuilder { metrics: Some(metrics), ..self }
    }

    /// Starts the RPC.
    pub fn start(self) -> RequestGuard {
        let Self { key, metrics, kind, deadline } = self;
        let target = match metrics {
            Some(metrics) => Target::Own(metrics.by_key(key, kind)),
            None => Target::Global(global(key, kind)),
        };
        RequestGuard::start(target, deadline)
    }
}

impl GrpcMetrics {
    /// Opens a guard for an RPC that the attribute can't reach, in this instance.
    ///
    /// Looks the method up under a lock; [`RequestGuard::new`] does not, for the process-wide instance.
    pub fn guard(&self, service: &'static str, method: &'static str) -> RequestGuard {
        RequestGuard::builder(service, method).metrics(self).start()
    }
}

type ByKey = HashMap<MethodKey, &'static MethodCounters>;

/// The counters under these labels in the process-wide instance. Each thread remembers those it has
/// used, so that only its first guard for a method takes a lock.
fn global(key: MethodKey, kind: MethodKind) -> &'static MethodCounters {
    thread_local! {
        static SEEN: RefCell<ByKey> = RefCell::default();
    }
    let find = || find_global(key, kind);
    // Without the memory, while the thread's locals are being torn down.
    let seen = SEEN.try_with(|seen| *seen.borrow_mut().entry(key).or_insert_with(find));
    seen.unwrap_or_else(|_| find())
}

fn find_global(key: MethodKey, kind: MethodKind) -> &'static MethodCounters {
    static FOUND: Mutex<Option<ByKey>> = Mutex::new(None);
    let metrics = GrpcMetrics::global();
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let found = found.get_or_insert_default().entry(key);
    found.or_insert_with(|| {
        // Leaked once a method: the process-wide instance stays anyway.
        Box::leak(Box::new(metrics.by_key(key, kind)))
    })
}
