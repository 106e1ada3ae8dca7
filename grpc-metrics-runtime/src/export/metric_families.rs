//! The families of a snapshot in the types of the `prometheus` crate, for programs that call `gather` themselves.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};

use super::families::FamilyType;
use super::schema::{Family, Schema};
use super::series::{self, Labels, Value, to_f64};
use crate::instance::Snapshot;

/// Returns the families of a snapshot that have any series.
pub(super) fn families(schema: &Schema, snapshot: &Snapshot) -> Vec<MetricFamily> {
    let const_labels: Vec<_> =
        schema.const_labels().iter().map(|(name, value)| pair(name, value)).collect();
    let written = schema.families().iter().filter_map(|family| {
        let mut metrics = Vec::new();
        schema.visit(family, snapshot, |labels, value| {
            metrics.push(metric(schema, family, &const_labels, labels, value));
        });
        (!metrics.is_empty()).then(|| metric_family(family, metrics))
    });
    written.collect()
}

pub(super) fn metric_family(family: &Family, metrics: Vec<Metric>) -> MetricFamily {
    let mut written = MetricFamily::default();
    written.set_name(family.name.clone());
    written.set_help(family.help().to_owned());
    written.set_field_type(metric_type(family));
    written.set_metric(metrics);
    written
}

pub(super) fn metric_type(family: &Family) -> MetricType {
    match family.ty() {
        FamilyType::Counter => MetricType::COUNTER,
        FamilyType::Gauge => MetricType::GAUGE,
        FamilyType::Histogram => MetricType::HISTOGRAM,
    }
}

fn metric(
    schema: &Schema,
    family: &Family,
    const_labels: &[LabelPair],
    labels: Labels<'_>,
    value: Value<'_>,
) -> Metric {
    let own = labels.pairs().map(|(name, value)| pair(name, value));
    let mut metric = Metric::from_label(const_labels.iter().cloned().chain(own).collect());
    let number = match value {
        Value::Count(count) => to_f64(count),
        Value::Ratio(ratio) => ratio,
        Value::Histogram(value) => {
            metric.set_histogram(histogram(schema.bounds(family), value));
            return metric;
        }
    };
    if family.ty() == FamilyType::Counter {
        let mut counter = Counter::default();
        counter.set_value(number);
        metric.set_counter(counter);
    } else {
        let mut gauge = Gauge::default();
        gauge.set_value(number);
        metric.set_gauge(gauge);
    }
    metric
}

fn histogram(bounds: &[f64], value: series::Histogram<'_>) -> Histogram {
    let buckets = bounds.iter().zip(value.cumulative).map(|(bound, below)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(*below);
        bucket
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(value.count());
    histogram.set_sample_sum(value.sum);
    histogram
}

pub(super) fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}
