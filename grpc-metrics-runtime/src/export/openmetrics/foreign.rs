//! The writer of other collectors' families.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;

use prometheus::proto::{Metric, MetricFamily, MetricType};

use crate::export::foreign::{Point, point_of};
use crate::export::text::numbers::Format;
use crate::export::text::writer::{Samples, close, write_label, write_pairs};

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
        if labels == "{" {
            " ".clone_into(&mut labels);
        } else {
            close(&mut labels);
        }
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
