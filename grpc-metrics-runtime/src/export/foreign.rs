//! What other collectors return.

use prometheus::TextEncoder;
use prometheus::proto::{Counter, Gauge, Metric, MetricFamily, MetricType};

/// The value of a metric.
pub(super) enum Point {
    Number(f64),
    Histogram { buckets: Vec<(f64, u64)>, sum: f64, count: u64 },
    Summary { quantiles: Vec<(f64, f64)>, sum: f64, count: u64 },
}

/// Returns the value of a metric. Adds the unbounded bucket to a histogram if the collector omits it.
pub(super) fn point_of(metric: &Metric, ty: MetricType) -> Point {
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

/// Returns an error for a family without a name or type.
pub(super) fn check(family: &MetricFamily) -> prometheus::Result<()> {
    if family.name().is_empty() {
        // Returns the error of `TextEncoder`.
        TextEncoder::new().encode_utf8(std::slice::from_ref(family), &mut String::new())?;
    }
    if family.get_field_type() == MetricType::UNTYPED {
        // The value has a different accessor in each of the two builds of `prometheus`.
        let message = format!("MetricFamily is untyped: {:?}", family.name());
        return Err(prometheus::Error::Msg(message));
    }
    Ok(())
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
