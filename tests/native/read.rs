//! Prometheus's protobuf format, read back.

use std::collections::BTreeMap;

use prost::Message;
use support::pb::prometheus::{Histogram, Metric, MetricFamily, MetricType};
use support::scrape::{Labels, Scrape};

/// Returns the families of an answer.
pub(crate) fn families(mut bytes: &[u8]) -> Vec<MetricFamily> {
    let mut families = Vec::new();
    while !bytes.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut bytes).expect("a family"));
    }
    families
}

/// Returns what a classic text of the families would show.
pub(crate) fn as_scrape(families: &[MetricFamily]) -> Scrape {
    let (mut types, mut series) = (BTreeMap::new(), BTreeMap::new());
    for family in families {
        let ty = family.r#type().as_str_name().to_lowercase();
        assert_eq!(types.insert(family.name().to_owned(), ty), None, "{}", family.name());
        for metric in &family.metric {
            for (suffix, label, value) in samples(family.r#type(), metric) {
                let labels = labels(metric).into_iter().chain(label).collect();
                let series_of = (format!("{}{suffix}", family.name()), labels);
                assert_eq!(series.insert(series_of.clone(), value), None, "{series_of:?}");
            }
        }
    }
    Scrape { text: String::new(), types, series }
}

pub(crate) fn labels(metric: &Metric) -> Labels {
    let labels = metric.label.iter();
    labels.map(|label| (label.name().to_owned(), label.value().to_owned())).collect()
}

type Sample = (&'static str, Option<(String, String)>, f64);

#[allow(clippy::cast_precision_loss)] // as in the text
fn samples(ty: MetricType, metric: &Metric) -> Vec<Sample> {
    match ty {
        MetricType::Counter => {
            vec![("", None, metric.counter.as_ref().expect("a counter").value())]
        }
        MetricType::Gauge => vec![("", None, metric.gauge.expect("a gauge").value())],
        MetricType::Histogram => {
            let histogram = metric.histogram.as_ref().expect("a histogram");
            let buckets = histogram.bucket.iter().map(|bucket| {
                let bound = ("le".to_owned(), spelled(bucket.upper_bound()));
                ("_bucket", Some(bound), bucket.cumulative_count() as f64)
            });
            let count = ("_count", None, histogram.sample_count() as f64);
            buckets.chain([("_sum", None, histogram.sample_sum()), count]).collect()
        }
        MetricType::Summary => {
            let summary = metric.summary.as_ref().expect("a summary");
            let quantiles = summary.quantile.iter().map(|quantile| {
                let of = ("quantile".to_owned(), quantile.quantile().to_string());
                ("", Some(of), quantile.value())
            });
            let count = ("_count", None, summary.sample_count() as f64);
            quantiles.chain([("_sum", None, summary.sample_sum()), count]).collect()
        }
        other => panic!("none of ours is a {other:?}"),
    }
}

fn spelled(bound: f64) -> String {
    if bound == f64::INFINITY { "+Inf".to_owned() } else { bound.to_string() }
}

/// Returns the native buckets that are written, with their indices. Panics if what says where they are contradicts
/// itself.
pub(crate) fn native(histogram: &Histogram) -> BTreeMap<i32, u64> {
    assert_eq!(histogram.schema, Some(3), "{histogram:?}");
    assert_eq!(histogram.zero_threshold, Some(2.0_f64.powi(-128)));
    assert!(histogram.negative_span.is_empty() && histogram.negative_delta.is_empty());
    let mut deltas = histogram.positive_delta.iter();
    let (mut index, mut count) = (0, 0_i64);
    let mut buckets = BTreeMap::new();
    for span in &histogram.positive_span {
        index += span.offset();
        for _ in 0..span.length() {
            count += deltas.next().expect("a count for each bucket of the spans");
            buckets.insert(index, u64::try_from(count).expect("a count"));
            index += 1;
        }
    }
    assert_eq!(deltas.next(), None, "a bucket for each count");
    buckets
}

/// Returns the values in all native buckets.
pub(crate) fn native_count(histogram: &Histogram) -> u64 {
    histogram.zero_count() + native(histogram).values().sum::<u64>()
}

/// Calls `with` for each histogram of the metrics with this prefix.
pub(crate) fn each_histogram(
    families: &[MetricFamily],
    prefix: &str,
    mut with: impl FnMut(&MetricFamily, &Histogram),
) {
    for family in families.iter().filter(|family| family.name().starts_with(prefix)) {
        let histograms = family.metric.iter().filter_map(|metric| metric.histogram.as_ref());
        histograms.for_each(|histogram| with(family, histogram));
    }
}
