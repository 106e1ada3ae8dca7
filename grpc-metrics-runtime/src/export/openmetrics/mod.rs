//! The text format OpenMetrics 1.0, which supports exemplars.
//!
//! [`http`](crate::http) responds in this format if the request's `Accept` header names it, as Prometheus's does. If
//! you have your own HTTP server, call [`GrpcMetrics::encode_openmetrics`] and send the text as [`CONTENT_TYPE`].
//!
//! [`GrpcMetrics::encode_openmetrics`]: crate::GrpcMetrics::encode_openmetrics
//!
//! # Differences in queries
//!
//! Every series has the same name, labels and value as in the classic text. Only the label `le` has OpenMetrics's
//! spelling: `"1.0"` instead of `"1"`, and `"1e-7"` instead of `"0.0000001"`. Prometheus stores the label as it is. So
//! write `le=~"1|1.0"` instead of `le="1"` in queries; `histogram_quantile` reads both.
//!
//! # Types
//!
//! OpenMetrics is stricter about types than the classic text. A metric that violates its type keeps its series and gets
//! the type `unknown`:
//!
//! - a counter whose name does not end in `_total`, or that is negative or NaN;
//! - a histogram whose buckets are out of order, contradict its count or start below 0, whose sum is negative
//!   or NaN, or that has timestamps;
//! - a counter or histogram that needs a name of another metric. For example, the counter `foo_total` is the family
//!   `foo` in OpenMetrics, which conflicts with a gauge `foo` in the same registry;
//! - a summary.
//!
//! If a histogram or summary becomes `unknown`, each of `foo_bucket`, `foo_sum` and `foo_count` is a family.
//! A family of type `UNTYPED` is an error.
//!
//! If a collector returns a series twice, only the first is written, which is the one that Prometheus keeps.
//! Timestamps of samples are written in seconds, as the format requires. Prometheus may lose one millisecond when it
//! converts them back.
//!
//! # Exemplars
//!
//! With the feature `opentelemetry`, the exemplar of each bucket of the latency histogram is the newest sampled RPC in
//! that bucket: its trace id, span id, duration in seconds and time of end. Start Prometheus with
//! `--enable-feature=exemplar-storage` to store exemplars.

#[cfg(all(test, feature = "opentelemetry"))]
mod exemplar_tests;
mod families;
mod foreign;

use prometheus::Registry;

use super::gathered::Gathered;
use super::text::numbers::Format;
use super::text::writer::Writer;

/// The `Content-Type` of the text. `escaping=underscores` means that names have Prometheus's legacy character set.
pub const CONTENT_TYPE: &str =
    "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores";

/// Encodes all metrics in the registry in OpenMetrics 1.0. Send the text as [`CONTENT_TYPE`].
///
/// # Errors
///
/// Returns an error if another collector returns a family without a name or of type `UNTYPED`.
///
/// # Panics
///
/// Panics if another collector panics.
pub fn encode_registry(registry: &Registry) -> prometheus::Result<String> {
    let gathered = Gathered::from_registry(registry);
    let gathered: Vec<_> = gathered.families().collect();
    let mut writer = Writer::new(Format::OpenMetrics);
    for exposed in families::exposed(&gathered)? {
        writer.head(&exposed.name, exposed.ty.as_str(), &exposed.help);
        for (family, samples) in exposed.parts {
            let (family, own_families) = &gathered[family];
            writer.own_families(family.name(), samples, own_families);
            if own_families.is_empty() {
                foreign::write(writer.text(), family, samples);
            }
        }
    }
    let mut text = writer.into_text();
    text.push_str("# EOF\n");
    Ok(text)
}
