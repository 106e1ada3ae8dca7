//! The writer of other collectors' families.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;

use prometheus::proto::{Counter, Gauge, Metric, MetricFamily, MetricType};

use crate::export::text::writer::{Format, Samples, closed, write_label, write_pairs};

/// The value of a metric.
enum Point {
    Number(f64),
    Histogram { buckets: Vec<(f64, u64)>, sum: f64, count: u64 },
    Summary { quantiles: Vec<(f64, f64)>, sum: f64, count: u64 },
}

/// Writes the samples of the family. Skips all but the first metric with the same labels, and all but the first bucket
/// or quantile with the same bound, because OpenMetrics forbids duplicate series.
pub(super) fn write(text: &mut String, family: &MetricFamily, samples: Samples) {
    let mut written = HashSet::new();
    for metric in family.get_metric() {
        // A set, because a collector may return labels in any order.
        let labels = metric.get_label().iter();
        let labels: BTreeSet<_> = labels.map(|pair| (pair.name(), pair.value())).collect();
        if written.insert(labels) {
            let point = point_of(metric, family.get_field_type());
            Series { text, name: family.name(), metric }.write(samples, &point);
        }
    }
}

/// Returns whether OpenMetrics allows the family's values for its type.
pub(super) fn is_valid(family: &MetricFamily) -> bool {
    let ty = family.get_field_type();
    let fits = |metric: &Metric| match point_of(metric, ty) {
        Point::Number(value) => ty != MetricType::COUNTER || value >= 0.0,
        Point::Histogram { buckets, sum, count } => {
            let grows = |two: &[(f64, u64)]| two[0].0 < two[1].0 && two[0].1 <= two[1].1;
            metric.timestamp_ms() == 0
                && sum >= 0.0
                && buckets.windows(2).all(grows)
                && buckets.first().is_some_and(|(bound, _)| *bound >= 0.0)
                && buckets.last().is_some_and(|(_, below)| *below == count)
        }
        Point::Summary { .. } => true,
    };
    family.get_metric().iter().all(fits)
}

/// Returns the value of a metric. Adds the unbounded bucket to a histogram if the collector omits it.
fn point_of(metric: &Metric, ty: MetricType) -> Point {
    match ty {
        MetricType::HISTOGRAM => {
            let histogram = metric.get_histogram();
            let buckets = histogram.get_bucket().iter();
            let mut buckets: Vec<_> =
                buckets.map(|bucket| (bucket.upper_bound(), bucket.cumulative_count())).collect();
            let count = histogram.get_sample_count();
            if !buckets.iter().any(|(bound, _)| *bound == f64::INFINITY) {
                buckets.push((f64::INFINITY, count));
            }
            Point::Histogram { buckets, sum: histogram.get_sample_sum(), count }
        }
        MetricType::SUMMARY => {
            let summary = metric.get_summary();
            let quantiles = summary.get_quantile().iter();
            Point::Summary {
                quantiles: quantiles.map(|of| (of.quantile(), of.value())).collect(),
                sum: summary.sample_sum(),
                count: summary.sample_count(),
            }
        }
        MetricType::COUNTER => Point::Number(metric.get_counter().get_value()),
        _ => Point::Number(metric.get_gauge().get_value()),
    }
}

/// The series of one metric.
struct Series<'a> {
    text: &'a mut String,
    name: &'a str,
    metric: &'a Metric,
}

impl Series<'_> {
    fn write(&mut self, samples: Samples, point: &Point) {
        let float = |value| Format::OpenMetrics.float(value);
        match point {
            Point::Number(value) => self.sample("", None, &float(*value)),
            Point::Histogram { buckets, sum, count } => {
                if samples.include_bucket() {
                    let mut written = HashSet::new();
                    for (bound, below) in buckets {
                        let bound = float(*bound);
                        if written.insert(bound.clone()) {
                            self.sample("_bucket", Some(("le", &bound)), &below.to_string());
                        }
                    }
                }
                self.sum_and_count(samples, *sum, *count);
            }
            Point::Summary { quantiles, sum, count } => {
                if samples == Samples::Plain {
                    let mut written = HashSet::new();
                    for (quantile, value) in quantiles {
                        // As in the classic text.
                        let quantile = quantile.to_string();
                        if written.insert(quantile.clone()) {
                            self.sample("", Some(("quantile", &quantile)), &float(*value));
                        }
                    }
                }
                self.sum_and_count(samples, *sum, *count);
            }
        }
    }

    fn sum_and_count(&mut self, samples: Samples, sum: f64, count: u64) {
        if samples.include_sum() {
            self.sample("_sum", None, &Format::OpenMetrics.float(sum));
        }
        if samples.include_count() {
            self.sample("_count", None, &count.to_string());
        }
    }

    fn sample(&mut self, suffix: &str, last: Option<(&str, &str)>, value: &str) {
        let mut labels = String::from("{");
        write_pairs(&mut labels, self.metric.get_label());
        if let Some((name, value)) = last {
            write_label(&mut labels, name, value);
        }
        let labels = if labels == "{" { " ".to_owned() } else { closed(&labels).concat() };
        let _ = write!(self.text, "{}{suffix}{labels}{value}", self.name);
        // 0 means no timestamp, as in the classic text.
        if self.metric.timestamp_ms() != 0 {
            #[allow(clippy::cast_precision_loss)] // 2^53 ms are 285,000 years
            let seconds = self.metric.timestamp_ms() as f64 / 1e3;
            let _ = write!(self.text, " {}", Format::OpenMetrics.float(seconds));
        }
        self.text.push('\n');
    }
}

/// Reads a value in both builds of `prometheus`: without its feature `protobuf` the type has only `get_value`, and with
/// it only `value`. Each method here calls the inherent one that exists.
#[allow(dead_code)] // in each build, one of the two
trait GetValue {
    fn get_value(&self) -> f64;
    fn value(&self) -> f64;
}

impl GetValue for Counter {
    fn get_value(&self) -> f64 {
        self.value()
    }

    fn value(&self) -> f64 {
        self.get_value()
    }
}

impl GetValue for Gauge {
    fn get_value(&self) -> f64 {
        self.value()
    }

    fn value(&self) -> f64 {
        self.get_value()
    }
}
