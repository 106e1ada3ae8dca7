//! Metrics of other collectors, of every kind that a program can have.

use std::collections::HashMap;

use grpc_metrics_runtime::GrpcMetrics;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::prometheus::core::{Collector, Desc};
use grpc_metrics_runtime::prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType, Quantile,
    Summary,
};
use tonic::Code;

/// A collector that gives these families.
pub(crate) struct Given(Desc, Box<dyn Fn() -> Vec<MetricFamily> + Send + Sync>);

impl Given {
    pub(crate) fn boxed(
        name: &str,
        collect: impl Fn() -> Vec<MetricFamily> + Send + Sync + 'static,
    ) -> Box<dyn Collector> {
        let desc = Desc::new(name.to_owned(), name.to_owned(), vec![], HashMap::new());
        Box::new(Self(desc.expect("a legal name"), Box::new(collect)))
    }
}

impl Collector for Given {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        (self.1)()
    }
}

pub(crate) fn family(name: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(format!("The help of \"{name}\"\n\\ in two lines."));
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

pub(crate) fn labelled(labels: &[(&str, &str)]) -> Metric {
    let pairs = labels.iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    });
    Metric::from_label(pairs.collect())
}

pub(crate) fn counter(name: &str, value: f64) -> MetricFamily {
    let mut metric = labelled(&[]);
    let mut counter = Counter::default();
    counter.set_value(value);
    metric.set_counter(counter);
    family(name, MetricType::COUNTER, vec![metric])
}

pub(crate) fn gauges(name: &str, values: &[(&str, f64)]) -> MetricFamily {
    let metrics = values.iter().map(|(label, value)| {
        let mut metric = labelled(&[("of", label)]);
        let mut gauge = Gauge::default();
        gauge.set_value(*value);
        metric.set_gauge(gauge);
        metric
    });
    family(name, MetricType::GAUGE, metrics.collect())
}

/// With cumulative counts below the bounds, and the whole count.
pub(crate) fn histogram(name: &str, buckets: &[(f64, u64)], count: u64, sum: f64) -> MetricFamily {
    let mut histogram = Histogram::default();
    let buckets = buckets.iter().map(|(bound, below)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(*below);
        bucket
    });
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(count);
    histogram.set_sample_sum(sum);
    let mut metric = labelled(&[("a", "b")]);
    metric.set_histogram(histogram);
    family(name, MetricType::HISTOGRAM, vec![metric])
}

/// Two histograms with the same labels.
pub(crate) fn twins(name: &str) -> MetricFamily {
    let mut one = histogram(name, &[(1.0, 2)], 3, 4.5);
    let metric = one.take_metric().remove(0);
    one.set_metric(vec![metric.clone(), metric]);
    one
}

pub(crate) fn summary(name: &str, quantiles: &[(f64, f64)], count: u64, sum: f64) -> MetricFamily {
    let mut summary = Summary::default();
    let quantiles = quantiles.iter().map(|(of, value)| {
        let mut quantile = Quantile::default();
        quantile.set_quantile(*of);
        quantile.set_value(*value);
        quantile
    });
    summary.set_quantile(quantiles.collect());
    summary.set_sample_count(count);
    summary.set_sample_sum(sum);
    let mut metric = labelled(&[("a", "b")]);
    metric.set_summary(summary);
    family(name, MetricType::SUMMARY, vec![metric])
}

/// At this time, in milliseconds.
pub(crate) fn stamped(mut family: MetricFamily, at: i64) -> MetricFamily {
    let mut metrics = family.take_metric();
    for metric in &mut metrics {
        metric.set_timestamp_ms(at);
    }
    family.set_metric(metrics);
    family
}

/// Metrics of ours with awkward labels, in a registry of their own.
pub(crate) fn ours() -> GrpcMetrics {
    let builder = GrpcMetrics::builder().registry(&Registry::new());
    let metrics = builder.const_label("zone", "\"a\"\n\\").build().expect("right");
    for (service, method) in
        [("a.Service", "Get"), ("quote\"d", "back\\slash"), ("line\nbreak", "ü")]
    {
        for code in [Code::Ok, Code::NotFound, Code::Internal] {
            metrics.guard(service, method).complete(code);
        }
    }
    metrics
}

/// The same, and metrics of other collectors.
pub(crate) fn ours_with(families: Vec<MetricFamily>) -> GrpcMetrics {
    let metrics = ours();
    let given = Given::boxed("given", move || families.clone());
    metrics.registry().register(given).expect("a new name");
    metrics
}

/// What is legal as it is, and what is not, in OpenMetrics. `at` is a time in milliseconds.
pub(crate) fn all_kinds(at: i64) -> Vec<MetricFamily> {
    const INF: f64 = f64::INFINITY;
    vec![
        counter("plain_total", 9_007_199_254_740_994.0),
        counter("huge_total", 1e300),
        counter("without_suffix", 3.5),
        counter("negative_total", -1.0),
        counter("nan_total", f64::NAN),
        counter("inf_total", INF),
        gauges("values", &[("a\n\"\\ü", -0.5), ("inf", INF), ("minus", -INF), ("nan", f64::NAN)]),
        gauges("gauge_total", &[("", 1.0)]),
        stamped(gauges("stamped", &[("x", 2.0)]), at),
        stamped(counter("stamped_total_total", 2.0), at),
        stamped(histogram("stamped_histogram", &[(1.0, 2)], 3, 4.5), at),
        histogram("usual", &[(1e-7, 0), (0.25, 2), (1.0, 2), (100.0, 7)], u64::MAX >> 1, 4.5),
        histogram("bounded", &[(1.0, 2), (INF, 3)], 3, INF),
        histogram("no_buckets", &[], 3, 4.5),
        histogram("below_zero", &[(-1.0, 1), (1.0, 2)], 3, 4.5),
        histogram("shrinking", &[(1.0, 2), (2.0, 1)], 3, 4.5),
        histogram("unsorted", &[(2.0, 2), (1.0, 3)], 3, 4.5),
        histogram("short_count", &[(1.0, 5)], 3, 4.5),
        histogram("other_count", &[(1.0, 2), (INF, 5)], 7, 4.5),
        histogram("nan_bound", &[(f64::NAN, 2)], 3, 4.5),
        histogram("nan_sum", &[(1.0, 2)], 3, f64::NAN),
        histogram("negative_sum", &[(1.0, 2)], 3, -4.5),
        summary("summary", &[(0.5, 0.25), (0.999, 2.0), (1.0, -3.0)], 17, 4.5),
        // Those that clash.
        gauges("foo", &[("", 1.0)]),
        counter("foo_total", 2.0),
        counter("bar_total", 2.0),
        gauges("bar_created", &[("", 1.0)]),
        counter("twice_total", 2.0),
        counter("twice_created_total", 2.0),
        histogram("h", &[(1.0, 2)], 3, 4.5),
        counter("h_total", 2.0),
        histogram("k", &[(1.0, 2)], 3, 4.5),
        gauges("k_created", &[("", 1.0)]),
        histogram("m", &[(1.0, 2)], 3, 4.5),
        gauges("m_bucket", &[("", 1.0)]),
        counter("m_count", 2.0),
        summary("s", &[(0.5, 0.25)], 17, 4.5),
        counter("s_count_total", 2.0),
        gauges("s_sum", &[("", 1.0)]),
        // And with ours.
        gauges("grpc_server_errors", &[("", 1.0)]),
        counter("grpc_server_request_duration_seconds_total", 1.0),
        gauges("grpc_server_requests_created", &[("", 1.0)]),
    ]
}
