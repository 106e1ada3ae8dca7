//! The counters of an instance, by method.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::settings::{Settings, to_nanos};
use super::slo::SloEvaluator;
use super::snapshot::{MethodSnapshot, Snapshot};
use crate::catalog::{self, Method, MethodKey};
use crate::counters::{Clock, MethodCounters};
use crate::grpc::{CodeSet, MethodKind};

/// The counters of all methods of an instance.
#[derive(Debug)]
pub(super) struct Table {
    /// Bucket bounds in seconds.
    seconds: Arc<[f64]>,
    /// Bucket bounds in nanoseconds.
    bounds: Arc<[u64]>,
    faults: CodeSet,
    clock: Clock,
    is_global: AtomicBool,
    shows_sizes: AtomicBool,
    /// By [`Method::index`]: a cache that is read without a lock.
    by_index: Box<[OnceLock<Arc<MethodCounters>>]>,
    /// All methods. Locked by the first lookup of a method and by a scrape.
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
            shows_sizes: AtomicBool::new(false),
            by_index: (0..catalog::method_count()).map(|_| OnceLock::new()).collect(),
            by_key: Mutex::default(),
        }
    }

    /// See [`Instance::mark_global`](super::Instance::mark_global).
    pub(super) fn mark_global(&self) {
        // Relaxed: at worst, the methods appear one scrape later.
        self.is_global.store(true, Ordering::Relaxed);
    }

    /// From now on the sizes of messages of all instrumented methods are shown.
    pub(super) fn shows_sizes(&self) {
        // Relaxed: as in `mark_global`.
        self.shows_sizes.store(true, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        // Relaxed: see `mark_global`.
        let shows_sizes = self.shows_sizes.load(Ordering::Relaxed);
        // Relaxed: see `mark_global`.
        catalog::methods_of(self.is_global.load(Ordering::Relaxed)).for_each(|method| {
            let counters = self.method(method);
            if shows_sizes {
                counters.show_sizes();
            }
        });
        // Cloned, so that no RPC waits for the lock while the counters are read.
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
        // A method of a library that was loaded after the instance was built has no slot.
        self.by_index.get(method.index()).map_or_else(find, |slot| slot.get_or_init(find).clone())
    }

    /// See [`Instance::by_key`](super::Instance::by_key).
    pub(super) fn by_key(&self, key: MethodKey, kind: MethodKind) -> Arc<MethodCounters> {
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

    /// Ignores poisoning: the map is consistent whenever a panic can happen.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<MethodKey, Entry>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
