//! [`GrpcMetrics`]: an instance in its registry, how it is built, and the process-wide one.

mod builder;
mod error;
mod global;
mod guards;
mod warnings;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use prometheus::Registry;
use prometheus::core::Desc;
use prometheus::proto::MetricFamily;

pub use self::builder::GrpcMetricsBuilder;
#[cfg(feature = "monitoring")]
pub(crate) use self::builder::why_illegal_label;
pub use self::error::Error;
pub use self::guards::RequestGuardBuilder;
pub use self::warnings::Warning;
use crate::catalog::{Method, MethodKey};
use crate::counters::MethodCounters;
#[cfg(feature = "monitoring")]
use crate::export::Schema;
use crate::export::{self, Exposition};
use crate::grpc::MethodKind;
use crate::instance::{Instance, Settings, Snapshot};

/// The RED metrics of a program's gRPC services, registered in one [`Registry`].
///
/// Most programs need nothing of it: RPCs of instrumented services go to [`GrpcMetrics::global`], which
/// is made with the default settings when it is first needed. A program with settings of its own builds
/// one at startup and [installs](GrpcMetrics::install) it. An impl that says `metrics = EXPR` reports
/// to the instance that the expression gives.
///
/// Every method of every instrumented service linked into the program has its series from the first
/// scrape on, at 0: all in the process-wide instance, and those that say `metrics = …` in the others too,
/// since the expression is not evaluated before the first call.
///
/// A clone is another handle to the same metrics.
#[derive(Clone, Debug)]
pub struct GrpcMetrics {
    /// Without the registry, which holds this too: neither keeps the other alive.
    exposition: Exposition,
    registry: Registry,
}

impl GrpcMetrics {
    /// The registry that these metrics are in.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Everything in the registry, these metrics and all others, in Prometheus's text format, version
    /// 0.0.4: for programs that serve HTTP by themselves, with [`TEXT_CONTENT_TYPE`]. With many methods it is several times faster
    /// than `TextEncoder`, and gives the same text.
    ///
    /// # Errors
    ///
    /// What `TextEncoder` says of another collector's families.
    ///
    /// [`TEXT_CONTENT_TYPE`]: crate::TEXT_CONTENT_TYPE
    pub fn encode(&self) -> prometheus::Result<String> {
        export::text::encode_registry(&self.registry)
    }

    /// The same in the format OpenMetrics 1.0, for answers of type [`openmetrics::CONTENT_TYPE`]. What may
    /// look different to a query is told at [`openmetrics`].
    ///
    /// # Errors
    ///
    /// If another collector's family has no name, as from [`encode`](Self::encode), or is of type
    /// `UNTYPED`, with which `encode` panics.
    ///
    /// [`openmetrics`]: crate::openmetrics
    /// [`openmetrics::CONTENT_TYPE`]: crate::openmetrics::CONTENT_TYPE
    #[cfg(feature = "openmetrics")]
    pub fn encode_openmetrics(&self) -> prometheus::Result<String> {
        export::openmetrics::encode_registry(&self.registry)
    }

    /// What a scrape would see now, as data.
    pub fn snapshot(&self) -> Snapshot {
        self.instance().snapshot()
    }

    fn new(settings: Settings, registry: Registry) -> Self {
        let instance = Arc::new(Instance::new(settings));
        Self { exposition: Exposition::new(instance), registry }
    }

    pub(crate) fn instance(&self) -> &Instance {
        self.exposition.instance()
    }

    #[cfg(feature = "monitoring")]
    pub(crate) fn schema(&self) -> &Arc<Schema> {
        self.exposition.schema()
    }

    /// The counters of an instrumented method: a lock at the first call, none later.
    #[inline]
    pub(crate) fn method(&self, method: &Method) -> Arc<MethodCounters> {
        self.instance().method(method)
    }

    fn by_key(&self, key: MethodKey, kind: MethodKind) -> Arc<MethodCounters> {
        self.instance().by_key(key, kind)
    }

    fn register(&self) -> Result<(), Error> {
        let registered = self.registry.register(Box::new(self.exposition.clone()));
        let prefix = || self.instance().settings().prefix.clone();
        registered.map_err(|source| Error::Registration { prefix: prefix(), source })
    }

    /// Withdraws from a registry that adds a label to all series which the metrics have themselves. It says
    /// nothing of its labels, but a scrape shows them.
    fn reject_duplicate_labels(&self) -> Result<(), Error> {
        // A collector that panics is none of these settings' faults, and hides what they may have.
        let gathered =
            catch_unwind(AssertUnwindSafe(|| self.registry.gather())).unwrap_or_default();
        match self.exposition.duplicate_label(&gathered) {
            None => Ok(()),
            Some(name) => {
                let _ = self.registry.unregister(Box::new(self.exposition.clone()));
                Err(Error::InvalidLabel {
                    name,
                    reason: "is a label of the registry and of the metrics",
                })
            }
        }
    }
}

/// [`GrpcMetricsBuilder::build`](crate::GrpcMetricsBuilder::build) registers the metrics; this is for programs
/// that gather by themselves.
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
    fn d6_what_was_counted_goes_with_the_last_of_handle_and_registry() {
        let registry = Registry::new();
        let metrics = GrpcMetrics::builder().registry(&registry).build().unwrap();
        let counted = Arc::downgrade(&metrics.exposition.instance);
        drop(metrics);
        assert!(counted.upgrade().is_some(), "the registry shows it");
        drop(registry);
        assert!(counted.upgrade().is_none());
    }
}
