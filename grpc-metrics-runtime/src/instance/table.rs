//! The counters of one instance, by method.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::settings::{Settings, to_nanos};
use super::slo::SloEvaluator;
use super::snapshot::{MethodSnapshot, Snapshot};
use crate::catalog::{self, Method, MethodKey};
use crate::counters::{Clock, MethodCounters};
use crate::grpc::{CodeSet, MethodKind};

/// All that an instance counts. Knows nothing of the registry that shows it.
#[derive(Debug)]
pub(super) struct Table {
    /// Bucket bounds in seconds.
    seconds: Arc<[f64]>,
    /// The same in nanoseconds.
    bounds: Arc<[u64]>,
    faults: CodeSet,
    clock: Clock,
    is_global: AtomicBool,
    /// By [`Method::index`]: found once, then read without a lock.
    by_index: Box<[OnceLock<Arc<MethodCounters>>]>,
    /// All methods, locked to look one up for the first time and to scrape.
    by_key: Mutex<BTreeMap<MethodKey, Entry>>,
}

#[derive(Clone, Debug)]
struct Entry {
    counters: Arc<MethodCounters>,
    counts_messages: bool,
    slos: SloEvaluator,
}

impl Table {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            seconds: Arc::from(&*settings.buckets),
            bounds: settings.buckets.iter().map(|seconds| to_nanos(*seconds)).collect(),
            faults: settings.fault_codes,
            clock: settings.clock.clone().unwrap_or_else(Clock::new),
            is_global: AtomicBool::new(false),
            by_index: (0..catalog::method_count()).map(|_| OnceLock::new()).collect(),
            by_key: Mutex::default(),
        }
    }

    /// From now on all instrumented methods are shown, for their RPCs may come here.
    pub(super) fn becomes_global(&self) {
        // Relaxed: a scrape that does not see it yet shows the methods one scrape later.
        self.is_global.store(true, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        // Relaxed: see `becomes_global`.
        catalog::methods_of(self.is_global.load(Ordering::Relaxed)).for_each(|method| {
            self.method(method);
        });
        // Copied, so that no RPC waits for the lock while the counters are read.
        let all: Vec<_> = self.lock().iter().map(|(key, entry)| (*key, entry.clone())).collect();
        let methods = all.into_iter().map(|(key, Entry { counters, counts_messages, slos })| {
            let reading = counters.read();
            MethodSnapshot {
                key,
                kind: counters.kind,
                bounds: Arc::clone(&self.seconds),
                counts_messages,
                slos: slos.evaluate(&reading.counts),
                reading,
            }
        });
        Snapshot { bounds: Arc::clone(&self.seconds), methods: methods.collect() }
    }

    #[inline]
    pub(super) fn method(&self, method: &Method) -> Arc<MethodCounters> {
        let find = || self.find(method.key(), Some(method), method.kind());
        // Without a place: from a library that was loaded after the instance was built.
        self.by_index.get(method.index()).map_or_else(find, |place| place.get_or_init(find).clone())
    }

    /// See [`Instance::named`](super::Instance::named).
    pub(super) fn named(&self, key: MethodKey, kind: MethodKind) -> Arc<MethodCounters> {
        self.find(key, None, kind)
    }

    fn find(
        &self,
        key: MethodKey,
        instrumented: Option<&Method>,
        kind: MethodKind,
    ) -> Arc<MethodCounters> {
        let new = || {
            let instrumented = instrumented.or_else(|| catalog::find(key));
            let kind = instrumented.map_or(kind, Method::kind);
            let bounds = Arc::clone(&self.bounds);
            let counters = MethodCounters::new(kind, self.faults, bounds, self.clock.clone());
            Entry {
                counters: Arc::new(counters),
                counts_messages: instrumented.is_some_and(Method::counts_messages),
                slos: SloEvaluator::new(catalog::objectives(key), self.faults, &self.bounds),
            }
        };
        Arc::clone(&self.lock().entry(key).or_insert_with(new).counters)
    }

    /// What is locked is whole at any time, so that a panic elsewhere changes nothing.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<MethodKey, Entry>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
