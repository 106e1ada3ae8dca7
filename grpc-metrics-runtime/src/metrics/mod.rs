//! [`GrpcMetrics`]: its builder, its guards, and the process-wide instance.

mod builder;
mod error;
mod global;
mod guards;
mod label;
mod naming;
mod warnings;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use prometheus::Registry;
use prometheus::core::Desc;
use prometheus::proto::MetricFamily;

pub use self::builder::GrpcMetricsBuilder;
pub use self::error::Error;
pub use self::guards::RequestGuardBuilder;
pub use self::label::{LabelBuilder, LabelSource, metadata};
#[cfg(feature = "monitoring")]
pub(crate) use self::naming::invalid_label_reason;
pub use self::warnings::Warning;
use crate::catalog::{Method, MethodKey};
use crate::counters::MethodCounters;
#[cfg(any(feature = "monitoring", feature = "otlp"))]
use crate::export::Schema;
use crate::export::{self, Exposition};
use crate::grpc::MethodKind;
use crate::instance::{Instance, Settings, Snapshot};

/// The RED metrics of a program's gRPC services, registered in a [`Registry`].
///
/// Most programs do not use this type: RPCs are recorded in [`GrpcMetrics::global`], which is created with the default
/// settings on first use. To change the settings, [build](GrpcMetrics::builder) an instance at startup and
/// [install](GrpcMetrics::install) it. An impl with `metrics = EXPR` records into the instance that the expression
/// returns.
///
/// Every method of every instrumented service linked into the program has its series from the first scrape, at 0. The
/// process-wide instance has the series of all methods. Any other instance has those of impls with `metrics = EXPR`,
/// because the expression is not evaluated before the first RPC.
///
/// A clone is another handle to the same metrics.
#[derive(Clone, Debug)]
pub struct GrpcMetrics {
    /// Does not own the registry. The registry owns a clone of this, so a cycle would leak both.
    exposition: Exposition,
    registry: Registry,
}

impl GrpcMetrics {
    /// Returns the registry of these metrics.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Encodes all metrics in the registry, including those of other collectors, in Prometheus's text format, version
    /// 0.0.4. If you have your own HTTP server, send the text as [`TEXT_CONTENT_TYPE`].
    ///
    /// The text is the same as `TextEncoder`'s. With many methods, this function is several times faster. See
    /// [`encode_registry`](crate::encode_registry) for what that means for collectors that gather other registries.
    ///
    /// # Errors
    ///
    /// Returns the error of `TextEncoder` if another collector returns an invalid family.
    ///
    /// # Panics
    ///
    /// Panics if another collector panics or returns a family of type `UNTYPED`, like `TextEncoder`.
    ///
    /// [`TEXT_CONTENT_TYPE`]: crate::TEXT_CONTENT_TYPE
    pub fn encode(&self) -> prometheus::Result<String> {
        export::text::encode_registry(&self.registry)
    }

    /// Encodes all metrics in the registry in OpenMetrics 1.0. Send the text as [`openmetrics::CONTENT_TYPE`].
    ///
    /// See [`openmetrics`] for the differences in queries.
    ///
    /// # Errors
    ///
    /// Returns an error if another collector returns a family without a name, like [`encode`](Self::encode), or of type
    /// `UNTYPED`, for which `encode` panics.
    ///
    /// # Panics
    ///
    /// Panics if another collector panics.
    ///
    /// [`openmetrics`]: crate::openmetrics
    /// [`openmetrics::CONTENT_TYPE`]: crate::openmetrics::CONTENT_TYPE
    #[cfg(feature = "openmetrics")]
    pub fn encode_openmetrics(&self) -> prometheus::Result<String> {
        export::openmetrics::encode_registry(&self.registry)
    }

    /// Encodes all metrics in the registry in Prometheus's protobuf format. Send the bytes as [`protobuf::CONTENT_TYPE`].
    ///
    /// # Errors
    ///
    /// Returns an error if another collector returns a family without a name, like [`encode`](Self::encode), or of type
    /// `UNTYPED`, for which `encode` panics.
    ///
    /// # Panics
    ///
    /// Panics if another collector panics.
    ///
    /// [`protobuf::CONTENT_TYPE`]: crate::protobuf::CONTENT_TYPE
    #[cfg(feature = "native-histograms")]
    pub fn encode_protobuf(&self) -> prometheus::Result<Vec<u8>> {
        export::protobuf::encode_registry(&self.registry)
    }

    /// Returns the current counts as data.
    pub fn snapshot(&self) -> Snapshot {
        self.instance().snapshot()
    }

    /// Waits until no RPC of this instance is in flight, served or called, and returns the counts at that time. For
    /// tests.
    ///
    /// A client that has got an RPC's status from the server needs not wait. One that has cancelled the RPC, has dropped its
    /// response stream, or has made the status itself after a timeout of its own, does not know when the server sees that,
    /// and then counts the end:
    ///
    /// ```
    /// # use grpc_metrics_runtime::{GrpcMetrics, prometheus::Registry, tonic::Code};
    /// # async fn test(metrics: GrpcMetrics, call: impl Future) {
    /// let before = metrics.snapshot();
    /// // … start a call, wait until its handler runs, and drop it
    /// # drop(call);
    /// let diff = metrics.settled().await.since(&before);
    /// assert_eq!(diff.requests(), [("shop.Orders", "Get", Code::Cancelled, 1)]);
    /// # }
    /// ```
    ///
    /// RPCs are not slowed down to notify anyone, so this reads the counters whenever the executor has polled its other
    /// tasks. It works on any executor. A runtime with paused time does not advance it meanwhile.
    ///
    /// An RPC that has not reached the server or its handler yet has not started, and is not waited for. A stream that
    /// stays open is waited for forever, so give tests a timeout.
    pub async fn settled(&self) -> Snapshot {
        poll_fn(|context| {
            // Methods are read one after the other. Only if no RPC has started between two reads, none was in flight
            // in any method at the time between them.
            let (first, second) = (self.snapshot(), self.snapshot());
            let idle = first.in_flight() == 0 && second.in_flight() == 0;
            if idle && first.started() == second.started() {
                return Poll::Ready(second);
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    fn new(settings: Settings, registry: Registry) -> Self {
        let instance = Arc::new(Instance::new(settings));
        Self { exposition: Exposition::new(instance), registry }
    }

    pub(crate) fn instance(&self) -> &Instance {
        self.exposition.instance()
    }

    #[cfg(any(feature = "monitoring", feature = "otlp"))]
    pub(crate) fn schema(&self) -> &Arc<Schema> {
        self.exposition.schema()
    }

    /// Returns the counters of an instrumented method. Only the first lookup takes a lock.
    #[inline]
    pub(crate) fn method(&self, method: &Method) -> Arc<MethodCounters> {
        self.instance().method(method)
    }

    pub(crate) fn by_key(&self, key: MethodKey, kind: Option<MethodKind>) -> Arc<MethodCounters> {
        self.instance().by_key(key, kind)
    }

    fn register(&self) -> Result<(), Error> {
        let registered = self.registry.register(Box::new(self.exposition.clone()));
        let prefix = || self.instance().settings().prefix.clone();
        registered.map_err(|source| Error::Registration { prefix: prefix(), source })
    }

    /// Unregisters the metrics if the registry adds a label that they have themselves. A registry does not expose its
    /// labels, so this gathers once.
    fn reject_duplicate_labels(&self) -> Result<(), Error> {
        // A collector's panic is unrelated to the settings, so the check is best effort.
        let gathered =
            catch_unwind(AssertUnwindSafe(|| self.registry.gather())).unwrap_or_default();
        match self.exposition.duplicate_label(&gathered) {
            None => Ok(()),
            Some(name) => {
                let _ = self.registry.unregister(Box::new(self.exposition.clone()));
                Err(Error::InvalidLabel {
                    name,
                    reason: "is added by the registry and is a label of the metrics",
                })
            }
        }
    }
}

/// [`GrpcMetricsBuilder::build`](crate::GrpcMetricsBuilder::build) registers the metrics. Use this impl to collect them
/// without a registry.
impl prometheus::core::Collector for GrpcMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.exposition.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.exposition.collect()
    }
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use super::*;

    #[test]
    fn d6_counts_are_freed_with_the_last_handle_and_the_registry() {
        let registry = Registry::new();
        let metrics = GrpcMetrics::builder().registry(&registry).build().unwrap();
        let counted = Arc::downgrade(&metrics.exposition.instance);
        drop(metrics);
        assert!(counted.upgrade().is_some(), "the registry holds them");
        drop(registry);
        assert!(counted.upgrade().is_none());
    }
}
