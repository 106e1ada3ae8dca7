//! The constructors of [`RequestGuard`], and the lookup of its counters.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{Extensions, HeaderMap};
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
    /// The arguments are the labels. They are `&'static str`, because labels made from data, such as the path of a
    /// request, would let clients exhaust the server's memory.
    pub fn new(service: &'static str, method: &'static str) -> Self {
        Self::builder(service, method).start()
    }

    /// Starts an RPC in the process-wide [`GrpcMetrics`], with the deadline in the request's `grpc-timeout`.
    pub fn for_request<T>(
        service: &'static str,
        method: &'static str,
        request: &Request<T>,
    ) -> Self {
        Self::builder(service, method).request(request).start()
    }

    /// Starts an RPC in the process-wide [`GrpcMetrics`], with the deadline in the metadata's `grpc-timeout`.
    pub fn for_metadata(
        service: &'static str,
        method: &'static str,
        metadata: &MetadataMap,
    ) -> Self {
        Self::builder(service, method).metadata(metadata).start()
    }

    /// Returns a builder to set the method's kind, the deadline or the instance.
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
            key: MethodKey::server(service, method),
            metrics: None,
            kind: MethodKind::Unary,
            deadline: Deadline::NONE,
            headers: None,
            extensions: None,
        }
    }
}

/// A builder for a [`RequestGuard`]; see [`RequestGuard::builder`].
#[derive(Clone, Copy, Debug)]
#[must_use = "the RPC does not start until `start` is called"]
pub struct RequestGuardBuilder<'a> {
    key: MethodKey,
    metrics: Option<&'a GrpcMetrics>,
    kind: MethodKind,
    deadline: Deadline,
    headers: Option<&'a HeaderMap>,
    extensions: Option<&'a Extensions>,
}

impl<'a> RequestGuardBuilder<'a> {
    /// Sets the method's kind, for `grpc_server_method_info`. Default: [`MethodKind::Unary`].
    ///
    /// Only the first guard of a method sets its kind. An instrumented method keeps its own.
    pub fn kind(mut self, kind: MethodKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the deadline: a guard dropped after this time ends its RPC with `DEADLINE_EXCEEDED`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.deadline = Deadline::from_timeout(timeout);
        self
    }

    /// Sets the deadline to the `grpc-timeout` in a request's metadata. Without one, the RPC has no deadline, even if
    /// [`timeout`](Self::timeout) was called before.
    ///
    /// The value of the program's [label](crate::GrpcMetricsBuilder::label) is that in the metadata, too.
    pub fn metadata<'b>(self, metadata: &'b MetadataMap) -> RequestGuardBuilder<'b>
    where
        'a: 'b,
    {
        let headers = metadata.as_ref();
        let deadline = Deadline::from_headers(headers);
        RequestGuardBuilder { deadline, headers: Some(headers), ..self }
    }

    /// Takes the deadline and the metadata from a request. Under a [server layer](crate::server_layer) the RPC of the request becomes the
    /// guard's, and ends with the code on the wire.
    pub fn request<'b, T>(self, request: &'b Request<T>) -> RequestGuardBuilder<'b>
    where
        'a: 'b,
    {
        let extensions = Some(request.extensions());
        RequestGuardBuilder { extensions, ..self.metadata(request.metadata()) }
    }

    /// Sets the instance to record into. Default: the process-wide one.
    ///
    /// Every guard looks its method up under a lock. In the process-wide instance, only a thread's first guard of a
    /// method does.
    pub fn metrics<'b>(self, metrics: &'b GrpcMetrics) -> RequestGuardBuilder<'b>
    where
        'a: 'b,
    {
        RequestGuardBuilder { metrics: Some(metrics), ..self }
    }

    /// Starts the RPC.
    pub fn start(self) -> RequestGuard {
        let Self { key, metrics, kind, deadline, headers, extensions } = self;
        let target = match metrics {
            Some(metrics) => Target::Own(metrics.by_key(key, Some(kind))),
            None => Target::Global(global(key, kind)),
        };
        RequestGuard::start(target, deadline, headers, extensions)
    }
}

impl GrpcMetrics {
    /// Starts an RPC in this instance, for code that the attribute can't reach.
    ///
    /// Looks the method up under a lock. In the process-wide instance, [`RequestGuard::new`] locks only for a thread's
    /// first guard of a method.
    pub fn guard(&self, service: &'static str, method: &'static str) -> RequestGuard {
        RequestGuard::builder(service, method).metrics(self).start()
    }
}

type ByKey = HashMap<MethodKey, &'static MethodCounters>;

/// Returns the counters with these labels in the process-wide instance. Each thread caches them, so that only its first
/// guard of a method takes a lock.
fn global(key: MethodKey, kind: MethodKind) -> &'static MethodCounters {
    thread_local! {
        static SEEN: RefCell<ByKey> = RefCell::default();
    }
    let find = || find_global(key, kind);
    // There is no cache while the thread's locals are being destroyed.
    let seen = SEEN.try_with(|seen| *seen.borrow_mut().entry(key).or_insert_with(find));
    seen.unwrap_or_else(|_| find())
}

fn find_global(key: MethodKey, kind: MethodKind) -> &'static MethodCounters {
    static FOUND: Mutex<Option<ByKey>> = Mutex::new(None);
    let metrics = GrpcMetrics::global();
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let found = found.get_or_insert_default().entry(key);
    found.or_insert_with(|| {
        // Leaked once per method. The process-wide instance is never dropped anyway.
        Box::leak(Box::new(metrics.by_key(key, Some(kind))))
    })
}
