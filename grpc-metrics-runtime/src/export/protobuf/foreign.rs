//! The families of other collectors.

use prometheus::proto;

use super::messages::{
    Bucket, Histogram, Metric, MetricFamily, MetricType, Number, Quantile, Summary,
};
use super::{family_of, pair};
use crate::export::foreign::{Point, check, point_of};

/// Returns an error for a family without a name or type.
pub(super) fn family(family: &proto::MetricFamily) -> prometheus::Result<MetricFamily> {
    check(family)?;
    let ty = match family.get_field_type() {
        proto::MetricType::COUNTER => MetricType::Counter,
        proto::MetricType::HISTOGRAM => MetricType::Histogram,
        proto::MetricType::SUMMARY => MetricType::Summary,
        _ => MetricType::Gauge,
    };
    let metrics = family.get_metric().iter().map(|of| {
        let labels = of.get_label().iter().map(|of| pair(of.name(), of.value()));
        let metric = metric(ty, point_of(of, family.get_field_type()));
        // 0 means no timestamp, as in the text.
        let timestamp_ms = Some(of.timestamp_ms()).filter(|time| *time != 0);
        Metric { label: labels.collect(), timestamp_ms, ..metric }
    });
    Ok(family_of(family.name(), family.help(), ty, metrics.collect()))
}

fn metric(ty: MetricType, point: Point) -> Metric {
    let none = Metric::default();
    match point {
        Point::Number(value) => {
            let number = Some(Number { value: Some(value) });
            if ty == MetricType::Counter {
                Metric { counter: number, ..none }
            } else {
                Metric { gauge: number, ..none }
            }
        }
        Point::Histogram { buckets, sum, count } => {
            let bucket = buckets.into_iter().map(|(bound, below)| Bucket {
                cumulative_count: Some(below),
                upper_bound: Some(bound),
                exemplar: None,
            });
            let histogram = Histogram {
                sample_count: Some(count),
                sample_sum: Some(sum),
                bucket: bucket.collect(),
                ..Histogram::default()
            };
            Metric { histogram: Some(histogram), ..none }
        }
        Point::Summary { quantiles, sum, count } => {
            let quantile = quantiles
                .into_iter()
                .map(|(quantile, value)| Quantile { quantile: Some(quantile), value: Some(value) });
            let summary = Summary {
                sample_count: Some(count),
                sample_sum: Some(sum),
                quantile: quantile.collect(),
            };
            Metric { summary: Some(summary), ..none }
        }
    }
}
