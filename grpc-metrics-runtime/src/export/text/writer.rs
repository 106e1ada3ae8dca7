//! The writer of both text formats.
//!
//! The formats differ in the spelling of numbers, and OpenMetrics has exemplars.

use std::fmt::Write;

use prometheus::proto::LabelPair;

use crate::export::gathered::OwnFamily;
use crate::export::series::{Histogram, Labels, Value, to_f64};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "openmetrics"), allow(dead_code))]
pub(in crate::export) enum Format {
    Prometheus,
    OpenMetrics,
}

/// The samples of a family to write: all, or those with one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "openmetrics"), allow(dead_code))]
pub(in crate::export) enum Samples {
    All,
    /// The samples with the family's own name.
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

    /// Writes the HELP and TYPE lines. `help` is escaped.
    pub(in crate::export) fn head(&mut self, name: &str, ty: &str, help: &str) {
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {ty}\n");
    }

    /// Writes the samples of a family of this crate's, which the registry calls `name`, from each of its instances.
    pub(in crate::export) fn own_families(
        &mut self,
        name: &str,
        samples: Samples,
        instances: &[OwnFamily<'_>],
    ) {
        // A registry has the series with fewer labels of all instances first.
        let passes: &[_] = if instances.len() > 1 { &[Some(true), Some(false)] } else { &[None] };
        for without_upstream in passes {
            for own in instances {
                self.own_family(name, samples, own, *without_upstream);
            }
        }
    }

    /// Writes the series of an instance; if given, only those without or with an upstream.
    fn own_family(
        &mut self,
        name: &str,
        samples: Samples,
        own: &OwnFamily<'_>,
        without_upstream: Option<bool>,
    ) {
        let OwnFamily { family, schema, snapshot, added } = *own;
        let mut constant = String::from("{");
        for (name, value) in schema.const_labels() {
            write_label(&mut constant, name, value);
        }
        let mut after = String::new();
        write_pairs(&mut after, added);
        let bounds = schema.bounds(family).iter().map(|bound| self.format.float(*bound));
        let bounds: Vec<_> =
            bounds.chain(["+Inf".to_owned()]).map(|le| format!("le=\"{le}\"}} ")).collect();
        let mut series = String::new();
        schema.visit(family, snapshot, |labels, value| {
            if without_upstream.is_some_and(|without| labels.lack_upstream() != without) {
                return;
            }
            series.clear();
            series.push_str(&constant);
            write_labels(&mut series, labels);
            series.push_str(&after);
            let [open, close] = closed(&series);
            match value {
                Value::Count(count) => self.count(&[name, open, close], count),
                Value::Ratio(ratio) => self.float(&[name, open, close], ratio),
                Value::Histogram(histogram) => {
                    self.histogram(name, samples, &series, &bounds, histogram);
                }
            }
        });
    }

    /// `labels` has no closing brace. Each of `bounds` is the last label with the closing brace.
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
                // A family of buckets alone is of type `unknown`, which has no exemplars.
                if self.format == Format::OpenMetrics && samples == Samples::All {
                    self.write_exemplar(histogram, i);
                }
                self.text.push('\n');
            }
        }
        let [open, close] = closed(labels);
        if samples.include_sum() {
            self.float(&[name, "_sum", open, close], histogram.sum);
        }
        if samples.include_count() {
            self.count(&[name, "_count", open, close], histogram.count());
        }
    }

    #[cfg(not(feature = "opentelemetry"))]
    #[allow(clippy::unused_self)] // same signature as below
    fn write_exemplar(&mut self, _: Histogram<'_>, _: usize) {}

    /// Writes the exemplar after the value of a bucket.
    #[cfg(feature = "opentelemetry")]
    fn write_exemplar(&mut self, histogram: Histogram<'_>, bucket: usize) {
        use std::time::UNIX_EPOCH;

        use crate::counters::Exemplar;

        let Some(exemplar) = histogram.exemplar(bucket) else { return };
        let Exemplar { trace_id, span_id, duration, ended, .. } = exemplar;
        let _ = write!(
            self.text,
            " # {{trace_id=\"{trace_id:032x}\",span_id=\"{span_id:016x}\"}} {duration}"
        );
        // The timestamp is optional. Before 1970, the clock is wrong.
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

    /// Not by `write!`, whose formatting would dominate the cost of a line.
    fn write_parts(&mut self, parts: &[&str]) {
        for part in parts {
            self.text.push_str(part);
        }
    }

    /// Writes a count. In the classic format it is written as an `f64`, like `TextEncoder` does.
    fn write_count(&mut self, count: u64) {
        let _ = if count < 1 << 53 || self.format != Format::Prometheus {
            write!(self.text, "{count}")
        } else {
            write!(self.text, "{}", to_f64(count))
        };
    }
}

impl Format {
    /// Returns the number in the format's spelling. OpenMetrics writes whole numbers with a decimal point.
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

/// Closes the labels of a series: `{a="b",` becomes `{a="b"` and `} `.
pub(in crate::export) fn closed(labels: &str) -> [&str; 2] {
    [labels.strip_suffix(',').unwrap_or(labels), "} "]
}

fn write_labels(text: &mut String, labels: Labels<'_>) {
    for (name, value) in labels.pairs() {
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
    // A search for characters would dominate the cost of a series.
    if value.bytes().any(|byte| matches!(byte, b'\\' | b'"' | b'\n')) {
        write_escaped(text, value);
    } else {
        text.push_str(value);
    }
    text.push_str("\",");
}

fn write_escaped(text: &mut String, value: &str) {
    for char in value.chars() {
        match char {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            _ => text.push(char),
        }
    }
}
