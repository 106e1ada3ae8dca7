//! Contract, N1: native buckets beside classic ones, with the same counts.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use grpc_metrics_runtime::{GrpcMetrics, Naming, metadata};
use quanta::Clock;
use support::bed::{Bed, BedOf, Layered, own_metrics};
use support::clients::Kind;
use support::pb::prometheus::Histogram;
use support::rng::{Rng, seed};
use support::script::{fail, script, send};
use tonic::{Code, Request};

use super::read::{each_histogram, families, labels, native, native_count};

fn encoded(metrics: &GrpcMetrics) -> Vec<support::pb::prometheus::MetricFamily> {
    families(&metrics.encode_protobuf().expect("the registry is valid"))
}

/// Returns the duration's histogram of the method that the guards count.
fn durations(metrics: &GrpcMetrics) -> Histogram {
    let mut found = Vec::new();
    for family in encoded(metrics) {
        if family.name() == "grpc_server_request_duration_seconds" {
            let ours = family.metric.into_iter();
            let ours = ours.filter(|metric| labels(metric)["service"] == "native.Service");
            found.extend(ours.filter_map(|metric| metric.histogram));
        }
    }
    assert_eq!(found.len(), 1);
    found.remove(0)
}

#[test]
fn n1_durations_are_in_the_buckets_of_prometheus() {
    let (clock, time) = Clock::mock();
    let (_, metrics) = own_metrics(|builder| builder.native_histograms().clock(clock));
    let guard = || metrics.guard("native.Service", "Get");
    drop(guard());
    guard().complete(Code::Ok);
    assert_eq!(durations(&metrics).zero_count, Some(2));
    // Each with its bucket: the upper bound of the bucket i is 2^(i/8) seconds.
    for (nanos, index) in [
        (1, -239),
        (1_000_000_000, 0),
        (1_000_000_001, 1),
        (999_999_999, 0),
        (2_000_000_000, 8),
        (500_000_000, -8),
        (500_000_001, -7),
        (1_090_507_732, 1),
        (1_090_507_733, 2),
        (u64::MAX >> 2, 257),
    ] {
        let before = native(&durations(&metrics)).get(&index).copied().unwrap_or(0);
        let guard = guard();
        time.increment(Duration::from_nanos(nanos));
        guard.complete(Code::NotFound);
        let after = durations(&metrics);
        assert_eq!(native(&after).get(&index), Some(&(before + 1)), "{nanos}: {after:?}");
        assert_eq!(native_count(&after), after.sample_count());
    }
}

#[test]
fn n1_a_method_without_rpcs_has_an_empty_native_histogram() {
    let (_, metrics) = own_metrics(grpc_metrics_runtime::GrpcMetricsBuilder::native_histograms);
    let guard = metrics.guard("native.Service", "Get");
    let empty = durations(&metrics);
    assert_eq!((native_count(&empty), empty.sample_count(), empty.zero_count), (0, 0, Some(0)));
    // Without it, the histogram would be a classic one.
    let spans: Vec<_> =
        empty.positive_span.iter().map(|span| (span.offset(), span.length())).collect();
    assert_eq!(spans, [(0, 0)]);
    drop(guard);
}

#[test]
fn n1_without_the_setting_histograms_are_classic() {
    let (_, metrics) = own_metrics(|builder| builder);
    metrics.guard("native.Service", "Get").complete(Code::Ok);
    let classic = durations(&metrics);
    assert_eq!((classic.schema, classic.zero_threshold, classic.zero_count), (None, None, None));
    assert!(classic.positive_span.is_empty() && !classic.bucket.is_empty());
}

/// Every classic bound that is a native one, too, has the same count below it.
fn assert_same_counts(histogram: &Histogram, of: &str) {
    assert_eq!(native_count(histogram), histogram.sample_count(), "{of}: {histogram:?}");
    let last = histogram.bucket.last().expect("the unbounded bucket");
    assert_eq!(last.cumulative_count(), histogram.sample_count(), "{of}");
    for bucket in &histogram.bucket {
        let index = bucket.upper_bound().log2() * 8.0;
        if index.fract() == 0.0 {
            let native = native(histogram).into_iter();
            let below = native.filter(|(at, _)| f64::from(*at) <= index).map(|(_, count)| count);
            let below = histogram.zero_count() + below.sum::<u64>();
            assert_eq!(
                below,
                bucket.cumulative_count(),
                "{of}, {}: {histogram:?}",
                bucket.upper_bound()
            );
        }
    }
}

#[test]
fn n1_both_kinds_count_the_same_while_rpcs_end() {
    const THREADS: usize = 4;
    let (clock, time) = Clock::mock();
    let (_, metrics) = own_metrics(|builder| builder.native_histograms().clock(clock));
    drop(metrics.guard("native.Service", "Get"));
    let barrier = Barrier::new(THREADS + 1);
    let seed = seed();
    thread::scope(|scope| {
        let writers: Vec<_> = (0..THREADS as u64)
            .map(|writer| {
                let (metrics, barrier, time) = (&metrics, &barrier, &time);
                scope.spawn(move || {
                    let mut rng = Rng::new(seed + writer);
                    barrier.wait();
                    for _ in 0..5_000 {
                        let guard = metrics.guard("native.Service", "Get");
                        // Over all magnitudes, so that lines are made all the while.
                        time.increment(1_u64 << rng.below(30));
                        guard.complete(rng.pick(&[Code::Ok, Code::Internal, Code::NotFound]));
                    }
                })
            })
            .collect();
        barrier.wait();
        let mut scrapes = 0;
        while writers.iter().any(|writer| !writer.is_finished()) || scrapes == 0 {
            assert_same_counts(&durations(&metrics), "while RPCs end");
            scrapes += 1;
        }
    });
    let after = durations(&metrics);
    assert_same_counts(&after, "after the last");
    assert_eq!(after.sample_count(), 1 + 5_000 * THREADS as u64);
}

/// Each value of the label has cells of its own.
#[tokio::test]
async fn n1_both_kinds_count_the_same_with_values_of_a_label() {
    for on_durations in [false, true] {
        let settings = |builder: grpc_metrics_runtime::GrpcMetricsBuilder| {
            let label = builder.native_histograms().label("client", metadata("x-client"));
            if on_durations { label.on_durations().at_most(2) } else { label.at_most(2) }
        };
        let bed = Bed::with(settings).await;
        for client in ["web", "app", "web", ""] {
            let mut request = Request::new(script([], []));
            request.metadata_mut().insert("x-client", client.parse().expect("legal"));
            bed.spawn_request(Kind::Unary, request).await.expect("no panic");
        }
        let mut counted = 0;
        each_histogram(&encoded(&bed.metrics), "grpc_server_request_duration", |_, histogram| {
            assert_same_counts(histogram, &format!("{on_durations}"));
            counted += histogram.sample_count();
        });
        assert_eq!(counted, 4);
    }
}

#[tokio::test]
async fn n1_every_histogram_of_every_naming_has_both() {
    for naming in
        [Naming::Default, Naming::GoGrpcPrometheus, Naming::OpenTelemetry, Naming::GrpcA66]
    {
        let settings = |builder: grpc_metrics_runtime::GrpcMetricsBuilder| {
            builder.naming(naming).native_histograms()
        };
        let bed = BedOf::<Layered>::with(settings).await;
        for kind in Kind::ALL {
            bed.call(kind, script([], [send(), send()])).await;
            bed.call(kind, script([fail(Code::Internal)], [])).await;
        }
        support::wait::until_eq(
            || Kind::ALL.map(|kind| bed.method(kind).finished()).iter().sum::<u64>(),
            8,
        )
        .await;
        let (mut histograms, mut counted) = (0, 0);
        let encoded = encoded(&bed.metrics);
        each_histogram(&encoded, "", |family, histogram| {
            assert_same_counts(histogram, family.name());
            histograms += 1;
            counted += histogram.sample_count();
        });
        // Of durations, and, under the layer, of sizes of both sides' messages.
        assert!(histograms >= 12, "{naming:?}: {histograms}");
        assert!(counted >= 3 * 8, "{naming:?}: {counted}");
        let by_code = encoded.iter().flat_map(|family| &family.metric).any(|metric| {
            let labels = labels(metric);
            metric.histogram.is_some() && labels.keys().any(|name| name.contains("status"))
        });
        assert_eq!(by_code, matches!(naming, Naming::OpenTelemetry | Naming::GrpcA66));
    }
}
