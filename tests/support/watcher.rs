//! Scrapes that go on while RPCs run, and hold what must hold at any time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, Snapshot};

use crate::bed::assert_consistent;
use crate::scrape::Scrape;

/// A thread that scrapes as fast as it can.
#[derive(Debug)]
pub struct Watcher {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watcher {
    /// Watches what users see and what they can read by program.
    pub fn start(registry: &Registry, metrics: &GrpcMetrics) -> Self {
        let (registry, metrics) = (registry.clone(), metrics.clone());
        let (mut last, mut started) = (Scrape::of(&registry), BTreeMap::new());
        Self::repeat(move || {
            // The two ways to the text.
            for scrape in [Scrape::of(&registry), Scrape::parse(metrics.encode().unwrap())] {
                assert_consistent(&scrape);
                assert_buckets(&scrape);
                assert_only_grows(&last, &scrape);
                last = scrape;
            }
            assert_snapshot(&metrics.snapshot(), &mut started);
        })
    }

    /// Watches by program alone, which is faster and so meets more.
    pub fn of_snapshots(metrics: &GrpcMetrics) -> Self {
        let (metrics, mut started) = (metrics.clone(), BTreeMap::new());
        Self::repeat(move || assert_snapshot(&metrics.snapshot(), &mut started))
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
        assert_eq!(method.durations().count(), method.finished(), "{method:?}");
        let key = (method.service(), method.method());
        let before = last.insert(key, method.started()).unwrap_or(0);
        assert!(method.started() >= before, "{method:?}");
    }
}

/// Cumulative, and all there at the end.
fn assert_buckets(scrape: &Scrape) {
    let mut buckets = BTreeMap::<_, Vec<(f64, f64)>>::new();
    for (labels, value) in scrape.named("grpc_server_request_duration_seconds_bucket") {
        let method = (&labels["service"], &labels["method"]);
        let bound = labels["le"].parse().unwrap();
        buckets.entry(method).or_default().push((bound, value));
    }
    for ((service, method), mut buckets) in buckets {
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(buckets.is_sorted_by_key(|(_, n)| *n), "{}", scrape.text);
        let count = scrape.value(
            "grpc_server_request_duration_seconds_count",
            &[("service", service), ("method", method)],
        );
        assert_eq!(buckets.last().map(|(_, n)| *n), count, "{}", scrape.text);
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
