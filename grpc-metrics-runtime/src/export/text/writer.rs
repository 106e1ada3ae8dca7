//! The lines of both text formats.
//!
//! The formats differ in how they spell numbers, and OpenMetrics has exemplars.

use std::fmt::Write;

use prometheus::proto::LabelPair;

use crate::export::gathered::Ours;
use crate::export::metric_families::to_f64;
use crate::export::series::{Histogram, Labels, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "openmetrics"), allow(dead_code))]
pub(in crate::export) enum Format {
    Prometheus,
    OpenMetrics,
}

/// Which samples of a family to write: all, or those that share a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "openmetrics"), allow(dead_code))]
pub(in crate::export) enum Samples {
    All,
    /// Those that have the family's own name.
    Plain,
    Bucket,
    Sum,
    Count,
}

#[derive(Debug)]
pub(in crate::export) struct Writer {
    text: String,
    format: Format,
}

impl Writer {
    pub(in crate::export) fn new(format: Format) -> Self {
        Self { text: String::new(), format }
    }

    pub(in crate::export) fn text(&mut self) -> &mut String {
        &mut self.text
    }

    pub(in crate::export) fn into_text(self) -> String {
        self.text
    }

    /// The lines before a family's samples. `help` is escaped.
    pub(in crate::export) fn head(&mut self, name: &str, ty: &str, help: &str) {
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {ty}\n");
    }

    /// The samples of one of our families, whose name in the registry is `name`.
    pub(in crate::export) fn ours(&mut self, name: &str, samples: Samples, ours: &Ours<'_>) {
        let Ours { family, schema, snapshot, added } = *ours;
        let mut constant = String::from("{");
        for (name, value) in schema.const_labels() {
            write_label(&mut constant, name, value);
        }
        let mut after = String::new();
        write_pairs(&mut after, added);
        let bounds = schema.bounds().iter().map(|bound| self.format.float(*bound));
        let bounds: Vec<_> =
            bounds.chain(["+Inf".to_owned()]).map(|le| format!("le=\"{le}\"}} ")).collect();
        let mut series = String::new();
        schema.visit(family, snapshot, |labels, value| {
            series.clear();
            series.push_str(&constant);
            write_labels(&mut series, labels);
            series.push_str(&after);
            match value {
                Value::Count(count) => self.count(&[name, &closed(&series)], count),
                Value::Ratio(ratio) => self.float(&[name, &closed(&series)], ratio),
                Value::Histogram(histogram) => {
                    self.histogram(name, samples, &series, &bounds, histogram);
                }
            }
        });
    }

    /// `labels` is not closed, `bounds` holds the last label with what closes it.
    fn histogram(
        &mut self,
        name: &str,
        samples: Samples,
        labels: &str,
        bounds: &[String],
        histogram: Histogram<'_>,
    ) {
        if samples.include_bucket() {
            for (i, (bound, below)) in bounds.iter().zip(histogram.cumulative).enumerate() {
                self.write_parts(&[name, "_bucket", labels, bound]);
                self.write_count(*below);
                // A family of buckets alone is no histogram, and has no exemplars.
                if self.format == Format::OpenMetrics && samples == Samples::All {
                    self.write_exemplar(histogram, i);
                }
                self.text.push('\n');
            }
        }
        let closed = closed(labels);
        if samples.include_sum() {
            self.float(&[name, "_sum", &closed], histogram.sum);
        }
        if samples.include_count() {
            self.count(&[name, "_count", &closed], histogram.count());
        }
    }

    #[cfg(not(feature = "opentelemetry"))]
    #[allow(clippy::unused_self)] // the other one needs it
    fn write_exemplar(&mut self, _: Histogram<'_>, _: usize) {}

    /// Follows the value on the line of a bucket.
    #[cfg(feature = "opentelemetry")]
    fn write_exemplar(&mut self, histogram: Histogram<'_>, bucket: usize) {
        use std::time::UNIX_EPOCH;

        use crate::counters::Exemplar;

        let below = bucket.checked_sub(1).map_or(0, |before| histogram.cumulative[before]);
        // An RPC may have ended after the counts were read. An exemplar in an empty bucket would show that.
        let is_empty = histogram.cumulative[bucket] == below;
        let exemplar = histogram.exemplars.get(bucket).copied().flatten();
        let Some(exemplar) = exemplar.filter(|_| !is_empty) else { return };
        let Exemplar { trace_id, span_id, duration, ended } = exemplar;
        let _ = write!(
            self.text,
            " # {{trace_id=\"{trace_id:032x}\",span_id=\"{span_id:016x}\"}} {duration}"
        );
        // The time is optional, and one before 1970 is a clock that is wrong.
        if let Ok(since) = ended.duration_since(UNIX_EPOCH) {
            let _ = write!(self.text, " {}", since.as_secs_f64());
        }
    }

    fn count(&mut self, parts: &[&str], value: u64) {
        self.write_parts(parts);
        self.write_count(value);
        self.text.push('\n');
    }

    fn float(&mut self, parts: &[&str], value: f64) {
        self.write_parts(parts);
        self.text.push_str(&self.format.float(value));
        self.text.push('\n');
    }

    /// Not by `write!`: a formatter is most of what a line costs.
    fn write_parts(&mut self, parts: &[&str]) {
        for part in parts {
            self.text.push_str(part);
        }
    }

    /// In the classic format as the `f64` that Prometheus makes of it, which is what `TextEncoder` writes.
    fn write_count(&mut self, count: u64) {
        let _ = if count < 1 << 53 || self.format != Format::Prometheus {
            write!(self.text, "{count}")
        } else {
            write!(self.text, "{}", to_f64(count))
        };
    }
}

impl Format {
    /// A number as the format spells it. OpenMetrics has a point in whole ones.
    pub(in crate::export) fn float(self, value: f64) -> String {
        match self {
            Self::Prometheus => value.to_string(),
            Self::OpenMetrics if value == f64::INFINITY => "+Inf".to_owned(),
            Self::OpenMetrics if value == f64::NEG_INFINITY => "-Inf".to_owned(),
            Self::OpenMetrics => format!("{value:?}"),
        }
    }
}

impl Samples {
    pub(in crate::export) fn include_bucket(self) -> bool {
        matches!(self, Self::All | Self::Bucket)
    }

    pub(in crate::export) fn include_sum(self) -> bool {
        matches!(self, Self::All | Self::Sum)
    }

    pub(in crate::export) fn include_count(self) -> bool {
        matches!(self, Self::All | Self::Count)
    }
}

/// `{a="b",` as the whole of a series' labels: `{a="b"} `.
pub(in crate::export) fn closed(labels: &str) -> String {
    format!("{}}} ", labels.strip_suffix(',').unwrap_or(labels))
}

fn write_labels(text: &mut String, labels: Labels<'_>) {
    for (name, value) in labels.of_method().into_iter().chain(labels.of_family()) {
        write_label(text, name, value);
    }
}

pub(in crate::export) fn write_pairs(text: &mut String, labels: &[LabelPair]) {
    for label in labels {
        write_label(text, label.name(), label.value());
    }
}

pub(in crate::export) fn write_label(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=\"");
    let mut rest = value;
    while let Some(at) = rest.find(['\\', '"', '\n']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        text.push_str(match from.as_bytes()[0] {
            b'\\' => "\\\\",
            b'"' => "\\\"",
            _ => "\\n",
        });
        rest = &from[1..];
    }
    text.push_str(rest);
    text.push_str("\",");
}
