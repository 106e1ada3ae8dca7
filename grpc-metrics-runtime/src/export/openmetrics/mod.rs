//! A registry in the format OpenMetrics 1.0, which has room for exemplars.
//!
//! [`http`](crate::http) answers in it if the request asks for it by name, as Prometheus does. A program with
//! an HTTP server of its own calls [`GrpcMetrics::encode_openmetrics`] and sends the text as [`CONTENT_TYPE`].
//!
//! [`GrpcMetrics::encode_openmetrics`]: crate::GrpcMetrics::encode_openmetrics
//!
//! # What a query sees
//!
//! Every series of the classic text, by the same name, with the same labels and value. Only the label `le`
//! is spelled as OpenMetrics has it, `"1.0"` where the classic text says `"1"`, and `"1e-7"` for
//! `"0.0000001"`. Prometheus takes the label as it comes, so a query that names a whole bound, as `le="1"`,
//! has to be `le=~"1|1.0"`; `histogram_quantile` reads both.
//!
//! # Types
//!
//! OpenMetrics has stricter types than the classic text. What would break them keeps its series and is
//! shown as type `unknown`:
//!
//! - a counter whose name does not end in `_total`, or that is negative or NaN;
//! - a histogram whose buckets are out of order, contradict its count or start below 0, whose sum is negative
//!   or NaN, or that has timestamps;
//! - a counter or histogram that would claim a name of another metric. The counter `foo_total` is the
//!   family `foo` here, and a gauge `foo` in the same registry leaves it no name;
//! - a summary.
//!
//! Of a histogram or summary that is shown so, each of `foo_bucket`, `foo_sum` and `foo_count` is a family.
//! A family of type `UNTYPED` is an error.
//!
//! Of a series that a collector gives twice, only the first is shown, which is the one that Prometheus takes.
//! Timestamps of samples are kept, in seconds as the format has them. Prometheus may make one millisecond
//! less of them when it turns them back.
//!
//! # Exemplars
//!
//! With the feature `opentelemetry`, each bucket of the latency histogram shows the newest sampled RPC that
//! fell into it: its trace, its span, how long it took in seconds, and when it ended. Prometheus keeps them if
//! it was started with `--enable-feature=exemplar-storage`.

#[cfg(all(test, feature = "opentelemetry"))]
mod exemplar_tests;
mod families;
mod foreign;

use prometheus::Registry;

use super::gathered::Gathered;
use super::text::writer::{Format, Writer};

/// The `Content-Type` of the text. All names are in Prometheus's old alphabet, as `escaping=underscores` says.
pub const CONTENT_TYPE: &str =
    "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores";

/// Encodes everything in the registry in OpenMetrics 1.0, for answers of type [`CONTENT_TYPE`].
///
/// # Errors
///
/// A family of another collector has no name, or is of type `UNTYPED`.
pub fn encode_registry(registry: &Registry) -> prometheus::Result<String> {
    let gathered = Gathered::of(registry);
    let gathered: Vec<_> = gathered.families().collect();
    let mut writer = Writer::new(Format::OpenMetrics);
    for exposed in families::exposed(&gathered)? {
        writer.head(&exposed.name, exposed.ty.as_str(), &exposed.help);
        for (family, samples) in exposed.parts {
            let (family, all_ours) = &gathered[family];
            for ours in all_ours {
                writer.ours(family.name(), samples, ours);
            }
            if all_ours.is_empty() {
                foreign::write(writer.text(), family, samples);
            }
        }
    }
    let mut text = writer.into_text();
    text.push_str("# EOF\n");
    Ok(text)
}
