//! What OpenMetrics would not allow.

use grpc_metrics_runtime::prometheus::proto::{Gauge, MetricFamily, MetricType};
use support::rng::Rng;

use super::open::assert_same_series;
use super::others::{
    all_kinds, counter, family, gauges, histogram, labelled, ours_with, stamped, summary, twins,
};

/// A time in milliseconds.
const AT: i64 = 1_234_567_890_123;

/// The type that each of the families has beside the others, by name.
fn types(families: Vec<MetricFamily>) -> Vec<(String, String)> {
    let open = assert_same_series(&ours_with(families));
    let others = open.types.into_iter().filter(|(name, _)| !name.starts_with("grpc_server"));
    others.collect()
}

fn assert_types(families: Vec<MetricFamily>, expected: &[(&str, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect();
    assert_eq!(types(families), expected);
}

#[test]
fn i3_everything_keeps_its_series() {
    assert_same_series(&ours_with(all_kinds(AT)));
}

#[test]
fn i3_counters() {
    assert_types(vec![counter("a_total", 1.0)], &[("a", "counter")]);
    for (name, value) in [("a", 1.0), ("a_totals", 1.0), ("_total", 1.0)] {
        assert_types(vec![counter(name, value)], &[(name, "unknown")]);
    }
    for value in [-1.0, f64::NAN, f64::NEG_INFINITY] {
        assert_types(vec![counter("a_total", value)], &[("a_total", "unknown")]);
    }
    assert_types(vec![stamped(counter("a_total_total", 1.0), AT)], &[("a_total", "counter")]);
}

#[test]
fn i3_histograms() {
    const INF: f64 = f64::INFINITY;
    let unknown = [("h_bucket", "unknown"), ("h_count", "unknown"), ("h_sum", "unknown")];
    let of = |buckets: &[(f64, u64)], count, sum| vec![histogram("h", buckets, count, sum)];
    for fine in [
        of(&[], 3, 4.5),
        of(&[(0.0, 0), (1.0, 3)], 3, 0.0),
        of(&[(1.0, 2), (INF, 3)], 3, INF),
        of(&[(1.0, u64::MAX)], u64::MAX, 4.5),
    ] {
        assert_types(fine, &[("h", "histogram")]);
    }
    for odd in [
        of(&[(-1.0, 1), (1.0, 2)], 3, 4.5),
        of(&[(1.0, 2), (2.0, 1)], 3, 4.5),
        of(&[(2.0, 2), (1.0, 3)], 3, 4.5),
        of(&[(1.0, 5)], 3, 4.5),
        of(&[(1.0, 2), (INF, 5)], 7, 4.5),
        of(&[(INF, 5), (1.0, 5)], 5, 4.5),
        of(&[(f64::NAN, 2)], 3, 4.5),
        of(&[(1.0, 2)], 3, f64::NAN),
        of(&[(1.0, 2)], 3, -4.5),
        vec![stamped(histogram("h", &[(1.0, 2)], 3, 4.5), AT)],
    ] {
        assert_types(odd, &unknown);
    }
}

#[test]
fn i3_a_series_that_is_given_twice_is_shown_once() {
    let open = ours_with(vec![twins("h")]).encode_openmetrics().expect("OpenMetrics");
    assert!(open.contains("\n# TYPE h histogram\n"), "{open}");
    assert_eq!(open.matches("\nh_count{").count(), 1, "{open}");
}

/// Behind another series, with its labels in another order, or at another time.
#[test]
fn i3_a_series_is_shown_once_wherever_it_is_given_again() {
    let at = |labels: &[(&str, &str)], value: f64, time: i64| {
        let mut metric = labelled(labels);
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        metric.set_gauge(gauge);
        metric.set_timestamp_ms(time);
        metric
    };
    let (a, b, ab) = ([("a", "1")], [("b", "1")], [("a", "1"), ("b", "1")]);
    let ba = [ab[1], ab[0]];
    for metrics in [
        vec![at(&a, 1.0, 0), at(&b, 1.0, 0), at(&a, 2.0, 0)],
        vec![at(&ab, 1.0, 0), at(&ba, 2.0, 0)],
        vec![at(&a, 1.0, 0), at(&a, 2.0, 5_000), at(&b, 1.0, 6_000)],
    ] {
        let given = family("g", MetricType::GAUGE, metrics);
        let open = ours_with(vec![given]).encode_openmetrics().expect("OpenMetrics");
        let series: Vec<_> = open.lines().filter(|line| line.starts_with("g{")).collect();
        assert!(series.iter().all(|line| line.contains("} 1.0")), "{series:?}");
        assert!(!series.is_empty());
    }
}

#[test]
fn i3_a_bound_or_quantile_that_is_given_twice_is_shown_once() {
    let open = ours_with(vec![
        histogram("h", &[(1.0, 1), (1.0, 2)], 3, 4.5),
        summary("s", &[(0.5, 1.0), (0.9, 2.0), (0.5, 3.0)], 17, 4.5),
    ]);
    let open = open.encode_openmetrics().expect("OpenMetrics");
    super::open::parse(&open);
    assert!(open.contains("\nh_bucket{a=\"b\",le=\"1.0\"} 1\n"), "{open}");
    assert!(open.contains("\ns{a=\"b\",quantile=\"0.5\"} 1.0\n"), "{open}");
}

#[test]
fn i4_no_name_is_claimed_twice() {
    let gauge = |name: &str| gauges(name, &[("", 1.0)]);
    let total = |name: &str| counter(&format!("{name}_total"), 1.0);
    let h = || histogram("h", &[(1.0, 2)], 3, 4.5);
    let h_apart = [("h_bucket", "unknown"), ("h_count", "unknown"), ("h_sum", "unknown")];
    assert_types(vec![gauge("a_total")], &[("a_total", "gauge")]);
    assert_types(vec![gauge("a"), total("a")], &[("a", "gauge"), ("a_total", "unknown")]);
    assert_types(
        vec![gauge("a_created"), total("a")],
        &[("a_created", "gauge"), ("a_total", "unknown")],
    );
    assert_types(
        vec![total("a"), total("a_created")],
        &[("a_created", "counter"), ("a_total", "unknown")],
    );
    assert_types(vec![h(), total("h")], &[("h", "histogram"), ("h_total", "unknown")]);
    assert_types(vec![h(), total("h_sum")], &[("h", "histogram"), ("h_sum_total", "unknown")]);
    // The gauge and the histogram's buckets are one family.
    assert_types(vec![h(), gauge("h_bucket")], &h_apart);
    let with = |name| {
        let mut all = h_apart.to_vec();
        all.push((name, "gauge"));
        all.sort_unstable();
        all
    };
    assert_types(vec![h(), gauge("h_created")], &with("h_created"));
    assert_types(
        vec![summary("s", &[(0.5, 0.25)], 17, 4.5), gauge("s_sum"), total("s_count")],
        &[
            ("s", "unknown"),
            ("s_count", "unknown"),
            ("s_count_total", "unknown"),
            ("s_sum", "unknown"),
        ],
    );
}

#[test]
fn i4_ours_keep_their_series_too() {
    let others = vec![
        gauges("grpc_server_requests", &[("", 1.0)]),
        counter("grpc_server_request_duration_seconds_total", 1.0),
    ];
    let open = assert_same_series(&ours_with(others));
    assert_eq!(open.types["grpc_server_requests"], "gauge");
    assert_eq!(open.types["grpc_server_requests_total"], "unknown");
    assert_eq!(open.types["grpc_server_request_duration_seconds"], "histogram");
}

#[test]
fn i4_any_families_make_a_legal_text() {
    const PARTS: [&str; 7] = ["a", "_total", "_created", "_bucket", "_sum", "_count", "b"];
    let mut rng = Rng::new(12);
    for _ in 0..200 {
        let mut below = |n: u64| rng.below(n);
        let mut families = Vec::new();
        for _ in 0..=below(12) {
            let mut name = String::from("a");
            for _ in 0..below(3) {
                name += PARTS[usize::try_from(below(7)).expect("small")];
            }
            let value = [1.0, 0.0, -1.0][usize::try_from(below(3)).expect("small")];
            families.push(match below(4) {
                0 => counter(&name, value),
                1 => gauges(&name, &[("x", value)]),
                2 => histogram(&name, &[(0.5, below(4)), (1.0, below(4))], below(4), value),
                _ => summary(&name, &[(0.5, value)], 17, 4.5),
            });
        }
        // A registry puts families of one name together, and the kind of one of them on all.
        families.sort_by(|one, other| one.name().cmp(other.name()));
        families.dedup_by(|one, other| one.name() == other.name());
        // The classic text has no such rules, and may have a series twice.
        if has_series_once(&families) {
            assert_same_series(&ours_with(families));
        }
    }
}

fn has_series_once(families: &[MetricFamily]) -> bool {
    let metrics = grpc_metrics_runtime::prometheus::TextEncoder::new();
    let text = metrics.encode_to_string(families).expect("text");
    let mut series: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let series_of = |line: &str| line.rsplit_once(' ').map(|(series, _)| series.to_owned());
    let all = series.len();
    series.sort_by_key(|line| series_of(line));
    series.dedup_by_key(|line| series_of(line));
    series.len() == all
}
