//! Scrapes that go on while RPCs run, and hold what must hold at any time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::thread::{self, JoinHandle};

use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, MethodSnapshot, Snapshot};

use crate::bed::{BedOf, assert_consistent};
use crate::scrape::Scrape;
use crate::scripted::SERVICE;
use crate::stage::Stage;

/// A thread that scrapes as fast as it can.
#[derive(Debug)]
pub struct Watcher {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// RPCs of one method by a test's own count, which the metrics are held against while they run.
#[derive(Debug, Default)]
pub struct Tally {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Tally {
    pub const fn new() -> Self {
        Self { begun: AtomicU64::new(0), ended: AtomicU64::new(0) }
    }

    /// So many are about to start.
    pub fn begin(&self, n: u64) {
        self.begun.fetch_add(n, Ordering::SeqCst);
        // Before what the metrics count with less of an order.
        fence(Ordering::SeqCst);
    }

    /// So many have ended.
    pub fn end(&self, n: u64) {
        self.ended.fetch_add(n, Ordering::SeqCst);
    }
}

impl Watcher {
    /// Watches a bed.
    pub fn start<L>(bed: &BedOf<L>) -> Self {
        Self::of(&bed.registry, &bed.metrics, &bed.stage)
    }

    /// Watches what users see and what they can read by program.
    pub fn of(registry: &Registry, metrics: &GrpcMetrics, stage: &Stage) -> Self {
        let (registry, metrics, stage) = (registry.clone(), metrics.clone(), stage.clone());
        let (mut last, mut started) = (Scrape::of(&registry), BTreeMap::new());
        Self::repeat(move || {
            // The two ways to the text.
            for scrape in [Scrape::of(&registry), Scrape::parse(metrics.encode().unwrap())] {
                assert_consistent(&scrape);
                assert_buckets(&scrape);
                assert_only_grows(&last, &scrape);
                last = scrape;
            }
            // By the handlers' own count.
            let entered = stage.entered() as u64;
            let snapshot = metrics.snapshot();
            assert_snapshot(&snapshot, &mut started);
            let methods = snapshot.methods().iter().filter(|of| of.service() == SERVICE);
            let all: u64 = methods.map(MethodSnapshot::started).sum();
            assert!(all >= entered, "{entered} handlers, {all} RPCs");
        })
    }

    /// Watches one method by program alone, which is faster and so meets more.
    pub fn of_method(
        metrics: &GrpcMetrics,
        service: &'static str,
        method: &'static str,
        tally: &'static Tally,
    ) -> Self {
        let (metrics, mut started) = (metrics.clone(), BTreeMap::new());
        Self::repeat(move || {
            let ended = tally.ended.load(Ordering::SeqCst);
            let snapshot = metrics.snapshot();
            fence(Ordering::SeqCst);
            let begun = tally.begun.load(Ordering::SeqCst);
            assert_snapshot(&snapshot, &mut started);
            let Some(method) = snapshot.method(service, method) else {
                return assert_eq!(ended, 0, "nothing is counted");
            };
            assert!(method.started() <= begun, "{begun} were begun: {method:?}");
            let by_code = (0..=16).map(|code| method.requests(code.into())).sum();
            let by_bucket = method.durations().count();
            for finished in [method.finished(), by_code, by_bucket] {
                assert!(finished >= ended, "{ended} had ended: {method:?}");
            }
        })
    }

    fn repeat(mut look: impl FnMut() + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            // Once more after the end.
            while !stopped.load(Ordering::SeqCst) {
                look();
            }
            look();
        });
        Self { stop, thread }
    }

    /// Ends it, and fails if it has seen what must not be.
    pub fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("a scrape saw what must not be");
    }
}

/// What finished had started, and nothing is taken back.
fn assert_snapshot(snapshot: &Snapshot, last: &mut BTreeMap<(&str, &str), u64>) {
    for method in snapshot.methods() {
        assert!(method.started() >= method.finished(), "{method:?}");
        let key = (method.service(), method.method());
        let before = last.insert(key, method.started()).unwrap_or(0);
        assert!(method.started() >= before, "{method:?}");
    }
}

/// Cumulative, and all there at the end.
fn assert_buckets(scrape: &Scrape) {
    let mut buckets = BTreeMap::<_, Vec<(f64, f64)>>::new();
    for (labels, value) in scrape.named("grpc_server_request_duration_seconds_bucket") {
        let mut series = labels.clone();
        let bound = series.remove("le").unwrap().parse().unwrap();
        buckets.entry(series).or_default().push((bound, value));
    }
    for (series, mut buckets) in buckets {
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(buckets.is_sorted_by_key(|(_, n)| *n), "{}", scrape.text);
        let name = "grpc_server_request_duration_seconds_count".to_owned();
        let count = scrape.series.get(&(name, series));
        assert_eq!(buckets.last().map(|(_, n)| n), count, "{}", scrape.text);
    }
}

fn assert_only_grows(before: &Scrape, now: &Scrape) {
    for ((name, labels), value) in &before.series {
        if name == "grpc_server_in_flight_requests" {
            continue;
        }
        let key = (name.clone(), labels.clone());
        let grown = now.series.get(&key).is_some_and(|now| now >= value);
        assert!(grown, "{name} {labels:?} was {value}; now there is:\n{}", now.text);
    }
}
