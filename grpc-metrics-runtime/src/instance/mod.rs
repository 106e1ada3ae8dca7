//! An instance: settings, counters and snapshots. Independent of export formats.

mod diff;
mod naming;
mod settings;
mod slo;
mod snapshot;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
#[cfg(feature = "otlp")]
use std::time::SystemTime;

use self::slo::SloEvaluator;
use crate::catalog::{self, Method, MethodKey, Side};
use crate::counters::{Buckets, Clock, LabelValues, MethodCounters};
use crate::grpc::MethodKind;

pub use self::diff::SnapshotDiff;
pub use self::naming::Naming;
pub(crate) use self::naming::{LabelForm, NamingSettings};
pub use self::settings::DEFAULT_BUCKETS;
pub(crate) use self::settings::{LabelSettings, Settings, to_nanos};
pub use self::slo::{Slo, SloCounts};
pub use self::snapshot::{Durations, MethodSnapshot, Snapshot};

/// The settings and counters of a [`GrpcMetrics`](crate::GrpcMetrics).
#[derive(Debug)]
pub(crate) struct Instance {
    settings: Settings,
    /// Bucket bounds in seconds.
    seconds: Arc<[f64]>,
    /// The duration's buckets in nanoseconds.
    buckets: Buckets,
    clock: Clock,
    /// When the counts began.
    #[cfg(feature = "otlp")]
    created: SystemTime,
    /// The values of [`Settings::label`].
    label: Option<Arc<LabelValues>>,
    is_global: AtomicBool,
    has_layer: AtomicBool,
    /// By [`Method::index`]: a cache that is read without a lock.
    by_index: Box<[OnceLock<Arc<MethodCounters>>]>,
    /// All methods. Locked by the first lookup of a method and by a scrape.
    by_key: Mutex<BTreeMap<MethodKey, Entry>>,
}

#[derive(Clone, Debug)]
struct Entry {
    counters: Arc<MethodCounters>,
    /// `None` if nothing says what kind the method is.
    kind: Option<MethodKind>,
    counts_responses: bool,
    slos: SloEvaluator,
}

impl Instance {
    /// Creates an instance, and adds the program's latency objectives to the bucket bounds.
    pub(crate) fn new(settings: Settings) -> Self {
        let settings = settings.with_bounds(catalog::latency_objectives());
        let bounds = settings.buckets.iter().map(|seconds| to_nanos(*seconds)).collect();
        Self {
            seconds: Arc::from(&*settings.buckets),
            buckets: if settings.native_histograms {
                Buckets::with_native(bounds, to_nanos(1.0))
            } else {
                Buckets::classic(bounds)
            },
            clock: settings.clock.clone().unwrap_or_else(Clock::new),
            #[cfg(feature = "otlp")]
            created: SystemTime::now(),
            label: settings
                .label
                .as_ref()
                .map(|label| Arc::new(LabelValues::new(label.key.clone(), label.most))),
            is_global: AtomicBool::new(false),
            has_layer: AtomicBool::new(false),
            by_index: (0..catalog::method_count()).map(|_| OnceLock::new()).collect(),
            by_key: Mutex::default(),
            settings,
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    #[cfg(feature = "otlp")]
    pub(crate) fn created(&self) -> SystemTime {
        self.created
    }

    /// Marks the instance as the process-wide one, which exposes all instrumented methods.
    pub(crate) fn mark_global(&self) {
        // Relaxed: at worst, the methods appear one scrape later.
        self.is_global.store(true, Ordering::Relaxed);
    }

    /// Marks the instance as that of a server layer, which exposes the sizes of messages of all instrumented methods,
    /// and the RPCs with an unknown path.
    pub(crate) fn mark_layered(&self) {
        // Relaxed: as in `mark_global`.
        self.has_layer.store(true, Ordering::Relaxed);
        self.by_key(MethodKey::OTHER, None).show_sizes();
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        // Relaxed, both: see `mark_global`.
        let has_layer = self.has_layer.load(Ordering::Relaxed);
        catalog::methods_of(self.is_global.load(Ordering::Relaxed)).for_each(|method| {
            let counters = self.method(method);
            if has_layer && method.key().side == Side::Server {
                counters.show_sizes();
            }
        });
        // Cloned, so that no RPC waits for the lock while the counters are read.
        let all: Vec<_> = self.lock().iter().map(|(key, entry)| (*key, entry.clone())).collect();
        let methods = all.into_iter().map(|(key, entry)| {
            let Entry { counters, kind, counts_responses, slos } = entry;
            let reading = counters.read();
            MethodSnapshot {
                key,
                kind,
                bounds: Arc::clone(&self.seconds),
                counts_responses,
                slos: slos.evaluate(&reading.counts),
                reading,
            }
        });
        let mut methods: Vec<_> = methods.collect();
        if let Some(label) = &self.label {
            // After the counts, so that every value that they have is among them.
            let texts = label.texts();
            let by_value = methods.iter_mut().flat_map(|method| &mut method.reading.by_value);
            by_value.for_each(|by_value| by_value.set_texts(&texts));
        }
        Snapshot { bounds: Arc::clone(&self.seconds), methods }
    }

    /// Returns the counters of an instrumented method. Only the first lookup takes a lock.
    #[inline]
    pub(crate) fn method(&self, method: &Method) -> Arc<MethodCounters> {
        let find = || self.find(method.key(), Some(method), None);
        // A method of a library that was loaded after the instance was built has no slot.
        self.by_index.get(method.index()).map_or_else(find, |slot| slot.get_or_init(find).clone())
    }

    /// Returns the counters with these labels. Guards and instrumented methods share them. `kind` applies only to a new
    /// method that is not instrumented.
    pub(crate) fn by_key(&self, key: MethodKey, kind: Option<MethodKind>) -> Arc<MethodCounters> {
        self.find(key, None, kind)
    }

    fn find(
        &self,
        key: MethodKey,
        instrumented: Option<&Method>,
        kind: Option<MethodKind>,
    ) -> Arc<MethodCounters> {
        let new = || {
            let instrumented = instrumented.or_else(|| catalog::find(key));
            let kind = instrumented.map(Method::kind).or(kind);
            let faults = self.settings.fault_codes;
            let (buckets, clock) = (self.buckets.clone(), self.clock.clone());
            // What may be a stream is counted as one.
            let counted = kind.unwrap_or(match key.side {
                Side::Server => MethodKind::Unary,
                Side::Client => MethodKind::BidiStream,
            });
            let naming = &self.settings.naming;
            let label = self.label.clone().filter(|_| key.side == Side::Server);
            let counters =
                MethodCounters::new(counted, naming.all_messages, faults, buckets, clock, label);
            let counters = if naming.bytes_of_calls && key.side == Side::Client {
                counters.with_bytes_of_calls()
            } else {
                counters
            };
            Entry {
                counters: Arc::new(counters),
                kind,
                counts_responses: instrumented
                    .map_or(key.side == Side::Client, Method::counts_messages),
                slos: SloEvaluator::new(catalog::objectives(key), faults, self.buckets.bounds()),
            }
        };
        Arc::clone(&self.lock().entry(key).or_insert_with(new).counters)
    }

    /// Ignores poisoning: the map is consistent whenever a panic can happen.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<MethodKey, Entry>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
