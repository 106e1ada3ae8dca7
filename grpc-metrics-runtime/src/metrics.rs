//! [`GrpcMetrics`]: what ties cells, snapshot and collector together.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use prometheus::Registry;
use prometheus::core::Desc;
use prometheus::proto::MetricFamily;
#[cfg(feature = "monitoring")]
use tonic::Code;

use crate::cells::MethodCells;
use crate::clock::Clock;
use crate::collector::Collector;
use crate::kind::MethodKind;
use crate::method::Method;
#[cfg(feature = "monitoring")]
use crate::settings::CodeLabel;
use crate::settings::{Settings, to_nanos};
use crate::slo::{FaultCodes, Judge};
#[cfg(feature = "monitoring")]
use crate::snapshot::ALL_CODES;
use crate::snapshot::{MethodSnapshot, Snapshot};
use crate::target::MethodMetrics;
use crate::{Error, catalog, gathered, text};

/// The RED metrics of a program's gRPC services, registered in one [`Registry`].
///
/// Most programs need nothing of it: RPCs of instrumented services go to [`GrpcMetrics::global`], which
/// is made with the default settings when it is first needed. A program with settings of its own builds
/// one at start-up and [installs](GrpcMetrics::install) it. An impl that says `metrics = EXPR` reports
/// to the instance that the expression gives.
///
/// Every method of every instrumented service linked into the program has its series from the first
/// scrape on, at 0: all in the process-wide instance, and those that say `metrics = …` in the others too,
/// since what that gives is not known before the first call.
///
/// A clone is another handle to the same metrics.
#[derive(Clone, Debug)]
pub struct GrpcMetrics {
    inner: Arc<Inner>,
    registry: Registry,
}

/// What the registry holds: all but the registry, so that neither keeps the other alive.
#[derive(Debug)]
struct Inner {
    collector: Arc<Collector>,
    prefix: String,
    /// Bucket bounds in nanoseconds.
    bounds: Arc<[u64]>,
    faults: FaultCodes,
    clock: Clock,
    is_global: AtomicBool,
    /// By [`Method::index`]: found once, then read without a lock.
    by_index: Box<[OnceLock<Arc<MethodMetrics>>]>,
    /// By labels: all methods there are, locked to look one up for the first time and to scrape.
    by_name: Mutex<BTreeMap<(&'static str, &'static str), Arc<MethodMetrics>>>,
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
        text::encode(&self.registry)
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
        crate::openmetrics::encode(&self.registry)
    }

    /// What a scrape would see now, as data.
    pub fn snapshot(&self) -> Snapshot {
        self.inner.snapshot()
    }

    #[cfg(feature = "monitoring")]
    pub(crate) fn prefix(&self) -> &str {
        &self.inner.prefix
    }

    #[cfg(feature = "monitoring")]
    pub(crate) fn const_label_names(&self) -> Vec<String> {
        self.inner.collector.const_labels.iter().map(|label| label.name().to_owned()).collect()
    }

    #[cfg(feature = "monitoring")]
    pub(crate) fn fault_codes(&self) -> Vec<Code> {
        ALL_CODES.into_iter().filter(|code| self.inner.faults.include(*code)).collect()
    }

    #[cfg(feature = "monitoring")]
    pub(crate) fn code_label(&self) -> CodeLabel {
        self.inner.collector.codes.spelling
    }

    pub(crate) fn new(settings: Settings, registry: Registry) -> Self {
        Self { inner: Arc::new(Inner::new(settings)), registry }
    }

    /// From now on all instrumented methods are shown, for their RPCs may come here.
    pub(crate) fn becomes_global(&self) {
        // Relaxed: a scrape that does not see it yet shows the methods one scrape later.
        self.inner.is_global.store(true, Ordering::Relaxed);
    }

    pub(crate) fn register(&self) -> Result<(), Error> {
        let registered = self.registry.register(Box::new(self.registered()));
        let prefix = || self.inner.prefix.clone();
        registered.map_err(|source| Error::Registration { prefix: prefix(), source })
    }

    /// Withdraws from a registry that adds a label to all series which the metrics have themselves. It says
    /// nothing of its labels, but a scrape shows them.
    pub(crate) fn refuse_labels_given_twice(&self) -> Result<(), Error> {
        // A collector that panics is none of these settings' faults, and hides what they may have.
        let gathered =
            catch_unwind(AssertUnwindSafe(|| self.registry.gather())).unwrap_or_default();
        match self.inner.collector.label_given_twice(&gathered) {
            None => Ok(()),
            Some(name) => {
                let _ = self.registry.unregister(Box::new(self.registered()));
                Err(Error::InvalidLabel {
                    name,
                    reason: "is a label of the registry and of the metrics",
                })
            }
        }
    }

    fn registered(&self) -> Registered {
        Registered(self.inner.clone())
    }

    /// The counters of an instrumented method: a lock at the first call, none later.
    #[inline]
    pub(crate) fn method(&self, method: &Method) -> Arc<MethodMetrics> {
        self.inner.method(method)
    }

    /// The counters under these labels: those of an instrumented method, or of a guard. A guard's labels may
    /// be those of an instrumented method too.
    pub(crate) fn named(&self, service: &'static str, method: &'static str) -> Arc<MethodMetrics> {
        self.inner.named(service, method, None)
    }
}

impl Inner {
    fn new(settings: Settings) -> Self {
        let settings = settings.with_bounds(catalog::latency_objectives());
        Self {
            collector: Arc::new(Collector::new(&settings)),
            bounds: settings.buckets.iter().map(|seconds| to_nanos(*seconds)).collect(),
            faults: FaultCodes::new(&settings.fault_codes),
            clock: Clock::new(),
            prefix: settings.prefix,
            is_global: AtomicBool::new(false),
            by_index: (0..catalog::method_count()).map(|_| OnceLock::new()).collect(),
            by_name: Mutex::default(),
        }
    }

    fn snapshot(&self) -> Snapshot {
        // Relaxed: see `becomes_global`.
        catalog::methods_of(self.is_global.load(Ordering::Relaxed)).for_each(|method| {
            self.method(method);
        });
        let by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<_> = by_name.iter().map(|(name, of)| (*name, Arc::clone(of))).collect();
        drop(by_name);
        let methods = all.into_iter().map(|((service, method), metrics)| {
            // In this order: see `Causes::read`.
            let errors = metrics.causes.read();
            let counts = metrics.cells.read();
            MethodSnapshot {
                service,
                method,
                kind: metrics.kind,
                counts_messages: metrics.counts_messages,
                errors,
                slos: metrics.judge.judge(&counts),
                #[cfg(feature = "opentelemetry")]
                exemplars: metrics.exemplars.read(),
                counts,
            }
        });
        Snapshot { bounds: self.collector.buckets.clone(), methods: methods.collect() }
    }

    #[inline]
    fn method(&self, method: &Method) -> Arc<MethodMetrics> {
        let find = || self.named(method.service(), method.name(), Some(method));
        // Without a place: from a library that was loaded after the instance was built.
        self.by_index.get(method.index()).map_or_else(find, |place| place.get_or_init(find).clone())
    }

    fn named(
        &self,
        service: &'static str,
        method: &'static str,
        instrumented: Option<&Method>,
    ) -> Arc<MethodMetrics> {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let instrumented = instrumented.or_else(|| catalog::find(service, method));
            let kind = instrumented.map_or(MethodKind::Unary, Method::kind);
            let counts_messages = instrumented.is_some_and(Method::counts_messages);
            let judge = Judge::new(catalog::objectives(service, method), self.faults, &self.bounds);
            let cells = MethodCells::new(self.bounds.clone());
            Arc::new(MethodMetrics::new(kind, counts_messages, judge, self.clock.clone(), cells))
        };
        by_name.entry((service, method)).or_insert_with(new).clone()
    }
}

/// What the registry asks.
struct Registered(Arc<Inner>);

impl prometheus::core::Collector for Registered {
    fn desc(&self) -> Vec<&Desc> {
        self.0.collector.descs()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        gathered::collect(&self.0.collector, self.0.snapshot())
    }
}

/// [`GrpcMetricsBuilder::build`](crate::GrpcMetricsBuilder::build) registers the metrics; this is for programs
/// that gather by themselves.
impl prometheus::core::Collector for GrpcMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.inner.collector.descs()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        gathered::collect(&self.inner.collector, self.snapshot())
    }
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use super::*;

    #[test]
    fn d6_what_was_counted_goes_with_the_last_of_handle_and_registry() {
        let registry = Registry::new();
        let metrics = GrpcMetrics::builder().registry(&registry).build().unwrap();
        let counted = Arc::downgrade(&metrics.inner);
        drop(metrics);
        assert!(counted.upgrade().is_some(), "the registry shows it");
        drop(registry);
        assert!(counted.upgrade().is_none());
    }
}
