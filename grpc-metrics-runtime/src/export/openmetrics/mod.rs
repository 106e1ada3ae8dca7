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
//! - a summary, for which `prometheus-client`, the encoder, has no type.
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

#[cfg(feature = "opentelemetry")]
mod exemplars;
mod families;
mod samples;

use std::fmt;
use std::sync::Arc;

use prometheus::Registry;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry as Encoded;

use self::families::Shown;
use super::gathered::Gathered;

/// The `Content-Type` of the text. All names are in Prometheus's old alphabet, as `escaping=underscores` says.
pub const CONTENT_TYPE: &str =
    "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores";

/// Everything in the registry.
pub(crate) fn encode(registry: &Registry) -> prometheus::Result<String> {
    let gathered = Gathered::of(registry);
    let all = families::shown(&gathered)?;
    let gathered = Arc::new(gathered);
    let mut text = String::new();
    let written = all.into_iter().try_for_each(|shown| {
        #[cfg(feature = "opentelemetry")]
        let mut lines = exemplars::Lines::new(&mut text, &gathered, &shown);
        #[cfg(not(feature = "opentelemetry"))]
        let mut lines = &mut text;
        let mut encoded = Encoded::default();
        encoded.register_collector(Box::new(One { gathered: Arc::clone(&gathered), shown }));
        text::encode_registry(&mut lines, &encoded)
    });
    let written = written.and_then(|()| text::encode_eof(&mut text));
    written.map_err(|error| prometheus::Error::Msg(error.to_string()))?;
    Ok(text)
}

/// One family, for an encoder that asks collectors of its own kind.
struct One {
    gathered: Arc<Gathered>,
    shown: Shown,
}

impl fmt::Debug for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown.name)
    }
}

impl Collector for One {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let Shown { name, help, kind, parts } = &self.shown;
        let mut encoder = encoder.encode_descriptor(name, help, None, *kind)?;
        for (family, part) in parts {
            samples::encode(&mut encoder, &self.gathered, *family, *part, *kind)?;
        }
        Ok(())
    }
}
