//! Prometheus's format in protobuf, which has native histograms.
//!
//! [`http`](crate::http) responds in this format if the request's `Accept` header asks for it, as that of a Prometheus that
//! stores native histograms does (`--enable-feature=native-histograms`, or `scrape_native_histograms` in newer versions). If
//! you have your own HTTP server, call [`GrpcMetrics::encode_protobuf`] and send the bytes as [`CONTENT_TYPE`].
//!
//! The values are those of the text. With [`native_histograms`], each histogram also has native buckets of
//! schema 3, which are 9 % wide: `histogram_quantile(0.99, rate(grpc_server_request_duration_seconds[5m]))` is then off by less
//! than that, whatever the method takes. Both kinds of buckets have the same counts.
//!
//! Prometheus then stores one series per histogram, and drops `…_bucket`, `…_count` and `…_sum`. Queries that need these
//! have data if the scrape's configuration keeps them: `scrape_classic_histograms: true` since Prometheus 2.45,
//! `always_scrape_classic_histograms: true` since 3.0. Among them are the durations of this crate's dashboard and, in
//! namings that count requests by their durations, its rules. The configuration that
//! [`monitoring`](crate::monitoring) generates keeps them.
//!
//! Families of other collectors are in the answer, too, with the classic buckets that they have.
//!
//! [`GrpcMetrics::encode_protobuf`]: crate::GrpcMetrics::encode_protobuf
//! [`native_histograms`]: crate::GrpcMetricsBuilder::native_histograms

mod foreign;
mod histogram;
mod messages;

use bytes::Bytes;
use prometheus::Registry;
use prost::Message;

use self::messages::{LabelPair, Metric, MetricFamily, MetricType, Number};
use super::families::FamilyType;
use super::gathered::{Gathered, OwnFamily};
use super::series::{Value, to_f64};

/// The `Content-Type` of the bytes. `escaping=underscores` means that names have Prometheus's legacy character set.
pub const CONTENT_TYPE: &str = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
     encoding=delimited; escaping=underscores";

/// Encodes all metrics in the registry in Prometheus's protobuf format: messages `io.prometheus.client.MetricFamily`,
/// each behind its length. Send the bytes as [`CONTENT_TYPE`].
///
/// # Errors
///
/// Returns an error if another collector returns a family without a name or of type `UNTYPED`.
///
/// # Panics
///
/// Panics if another collector panics.
pub fn encode_registry(registry: &Registry) -> prometheus::Result<Vec<u8>> {
    let gathered = Gathered::from_registry(registry);
    let mut bytes = Vec::new();
    for (family, own_families) in gathered.families() {
        let written = match own_families.first() {
            Some(first) => {
                let metrics = own_families.iter().flat_map(metrics).collect();
                let family_type = message_type(first.family.ty());
                family_of(family.name(), first.family.help(), family_type, metrics)
            }
            None => foreign::family(family)?,
        };
        // A vector grows, so there is no error.
        let _ = written.encode_length_delimited(&mut bytes);
    }
    Ok(bytes)
}

/// Returns the series of one instance.
fn metrics(own: &OwnFamily<'_>) -> Vec<Metric> {
    let OwnFamily { family, schema, snapshot, added } = *own;
    let constant = schema.const_labels().iter().map(|(name, value)| pair(name, value));
    let constant: Vec<_> = constant.collect();
    let added: Vec<_> = added.iter().map(|added| pair(added.name(), added.value())).collect();
    let is_counter = family.ty() == FamilyType::Counter;
    let (mut metrics, mut of_method) = (Vec::new(), Vec::new());
    schema.visit(family, snapshot, |labels, value| {
        if labels.are_first_of_method() {
            let method = labels.of_method().map(|(name, value)| pair(name, value));
            of_method = constant.iter().cloned().chain(method).collect();
        }
        let own = family.labels().iter().zip(labels.own()).map(|(name, value)| pair(name, value));
        let label = of_method.iter().cloned().chain(own).chain(added.iter().cloned()).collect();
        let none = Metric { label, ..Metric::default() };
        metrics.push(match value {
            Value::Count(count) if is_counter => {
                Metric { counter: Some(number(to_f64(count))), ..none }
            }
            Value::Count(count) => Metric { gauge: Some(number(to_f64(count))), ..none },
            Value::Ratio(ratio) => Metric { gauge: Some(number(ratio)), ..none },
            Value::Histogram(value) => {
                let histogram = histogram::histogram(schema.bounds(family), value);
                Metric { histogram: Some(histogram), ..none }
            }
        });
    });
    metrics
}

fn number(value: f64) -> Number {
    Number { value: Some(value) }
}

fn message_type(ty: FamilyType) -> MetricType {
    match ty {
        FamilyType::Counter => MetricType::Counter,
        FamilyType::Gauge => MetricType::Gauge,
        FamilyType::Histogram => MetricType::Histogram,
    }
}

fn family_of(name: &str, help: &str, ty: MetricType, metric: Vec<Metric>) -> MetricFamily {
    MetricFamily {
        name: Some(name.to_owned()),
        help: Some(help.to_owned()),
        r#type: Some(ty as i32),
        metric,
    }
}

/// Returns an encoded label.
fn pair(name: &str, value: &str) -> Bytes {
    let pair = LabelPair { name: Some(name.to_owned()), value: Some(value.to_owned()) };
    pair.encode_to_vec().into()
}
