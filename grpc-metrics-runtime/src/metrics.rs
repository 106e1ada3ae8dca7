//! [`GrpcMetrics`]: what ties cells, snapshot and collector together.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::{fmt, io};

use prometheus::Registry;
use prometheus::core::Desc;
use prometheus::proto::MetricFamily;
#[cfg(feature = "monitoring")]
use tonic::Code;

use crate::causes::Causes;
use crate::cells::MethodCells;
use crate::clock::Clock;
use crate::collector::Collector;
#[cfg(feature = "opentelemetry")]
use crate::exemplar::Exemplars;
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

static GLOBAL: OnceLock<GrpcMetrics> = OnceLock::new();

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
}

#[derive(Debug)]
struct Inner {
    collector: Arc<Collector>,
    registry: Registry,
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
    /// The process-wide instance: the installed one, or else one with the default settings, made and
    /// registered in [`prometheus::default_registry`] now.
    ///
    /// A program that serves a registry by itself calls this once at start-up, so that the series are
    /// there before the first RPC. [`http`](crate::http) does it for you.
    ///
    /// What would be an error from the builder is one line on stderr here, since nobody is there to take
    /// it: impls that share a service label are counted together; metrics whose names are taken are
    /// counted and not shown.
    pub fn global() -> &'static Self {
        GLOBAL.get_or_init(|| {
            let metrics = Self::new(Settings::default(), prometheus::default_registry().clone());
            metrics.inner.is_global.store(true, Ordering::Relaxed);
            for duplicate in catalog::duplicates() {
                complain(&duplicate);
            }
            if let Err(error) = metrics.register() {
                complain(&error);
            }
            metrics
        })
    }

    /// Makes this instance the process-wide one.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyInstalled`] if there is one: installed before, or made by
    /// [`global`](GrpcMetrics::global).
    pub fn install(self) -> Result<&'static Self, Error> {
        let mut installed = false;
        let global = GLOBAL.get_or_init(|| {
            installed = true;
            // Relaxed: a scrape that does not see it yet shows the methods one scrape later.
            self.inner.is_global.store(true, Ordering::Relaxed);
            self
        });
        if installed { Ok(global) } else { Err(Error::AlreadyInstalled) }
    }

    /// The registry that these metrics are in.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Everything in the registry, these metrics and all others, in Prometheus's text format, version
    /// 0.0.4: for programs that serve HTTP by themselves. With many methods it is several times faster
    /// than `TextEncoder`, and gives the same text.
    ///
    /// # Errors
    ///
    /// What `TextEncoder` says of another collector's families.
    pub fn encode(&self) -> prometheus::Result<String> {
        text::encode(&self.inner.registry)
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
        crate::openmetrics::encode(&self.inner.registry)
    }

    /// What a scrape would see now, as data.
    pub fn snapshot(&self) -> Snapshot {
        // Relaxed: see `install`.
        catalog::methods_of(self.inner.is_global.load(Ordering::Relaxed)).for_each(|method| {
            self.method(method);
        });
        let by_name = self.inner.by_name.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let methods = by_name.into_iter().map(|((service, method), metrics)| {
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
        Snapshot { bounds: self.inner.collector.buckets.clone(), methods: methods.collect() }
    }

    #[cfg(feature = "monitoring")]
    pub(crate) fn prefix(&self) -> &str {
        &self.inner.prefix
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
        let settings = settings.with_bounds(catalog::latency_objectives());
        Self {
            inner: Arc::new(Inner {
                collector: Arc::new(Collector::new(&settings)),
                registry,
                bounds: settings.buckets.iter().map(|seconds| to_nanos(*seconds)).collect(),
                faults: FaultCodes::new(&settings.fault_codes),
                clock: Clock::new(),
                prefix: settings.prefix,
                is_global: AtomicBool::new(false),
                by_index: (0..catalog::method_count()).map(|_| OnceLock::new()).collect(),
                by_name: Mutex::default(),
            }),
        }
    }

    pub(crate) fn register(&self) -> Result<(), Error> {
        let registered = self.inner.registry.register(Box::new(self.clone()));
        let prefix = || self.inner.prefix.clone();
        registered.map_err(|source| Error::Registration { prefix: prefix(), source })?;
        // The registry says nothing of labels that it adds to all series by itself.
        match self.inner.collector.label_given_twice(&self.inner.registry.gather()) {
            None => Ok(()),
            Some(name) => {
                let _ = self.inner.registry.unregister(Box::new(self.clone()));
                Err(Error::InvalidLabel {
                    name,
                    reason: "is a label of the registry and of the metrics",
                })
            }
        }
    }

    /// The counters of an instrumented method in the process-wide instance, looked up by the first call
    /// only and leaked then, since the method is a static and for ever too.
    #[inline]
    pub(crate) fn of_global(method: &'static Method) -> &'static MethodMetrics {
        method.global.get().copied().unwrap_or_else(|| Self::find_global(method))
    }

    #[cold]
    fn find_global(method: &'static Method) -> &'static MethodMetrics {
        method.global.get_or_init(|| Box::leak(Box::new(Self::global().method(method))))
    }

    /// The counters of an instrumented method: a lock at the first call, none later.
    #[inline]
    pub(crate) fn method(&self, method: &Method) -> Arc<MethodMetrics> {
        let find = || self.named(method.service(), method.name(), Some(method));
        // Without a place: from a library that was loaded after the instance was built.
        self.inner
            .by_index
            .get(method.index())
            .map_or_else(find, |place| place.get_or_init(find).clone())
    }

    /// The counters under these labels: those of an instrumented method, or of a guard. A guard's labels may
    /// be those of an instrumented method too.
    pub(crate) fn named(
        &self,
        service: &'static str,
        method: &'static str,
        instrumented: Option<&Method>,
    ) -> Arc<MethodMetrics> {
        let mut by_name = self.inner.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let instrumented = instrumented.or_else(|| catalog::find(service, method));
            let kind = instrumented.map_or(MethodKind::Unary, Method::kind);
            let counts_messages = instrumented.is_some_and(Method::counts_messages);
            let judge = Judge::new(
                catalog::objectives(service, method),
                self.inner.faults,
                &self.inner.bounds,
            );
            let cells = MethodCells::new(self.inner.bounds.clone());
            Arc::new(MethodMetrics {
                kind,
                counts_messages,
                judge,
                clock: self.inner.clock.clone(),
                cells,
                causes: Causes::default(),
                #[cfg(feature = "opentelemetry")]
                exemplars: Exemplars::default(),
            })
        };
        by_name.entry((service, method)).or_insert_with(new).clone()
    }
}

/// One line on stderr, for want of anybody to return it to. If that is closed, nobody wants to know: it is
/// no reason for an RPC to fail.
fn complain(of: &dyn fmt::Display) {
    let _ = writeln!(io::stderr(), "grpc-metrics-runtime: {of}");
}

/// Registered by [`GrpcMetricsBuilder::build`](crate::GrpcMetricsBuilder::build); implemented for programs
/// that gather by themselves.
impl prometheus::core::Collector for GrpcMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.inner.collector.descs()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        gathered::collect(&self.inner.collector, self.snapshot())
    }
}
