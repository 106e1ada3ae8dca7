//! The writer of both text formats.
//!
//! The formats differ in the spelling of numbers, and OpenMetrics has exemplars.

use std::fmt::Write;
use std::mem;

use prometheus::proto::LabelPair;

use super::numbers::Format;
use crate::export::gathered::OwnFamily;
use crate::export::series::{Histogram, Value};

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
    /// What the lines of a histogram's buckets begin with. Kept, so that its memory is used again.
    bucket: String,
}

/// What the lines of a family of one instance have in common.
#[derive(Debug)]
struct Common<'a> {
    /// The family's name in the registry.
    name: &'a str,
    /// The opening brace and the constant labels.
    constant: String,
    /// The names of the family's own labels, up to the values.
    own: Vec<String>,
    /// The labels that the registry adds.
    added: String,
    /// The last label of each bucket, with the closing brace.
    bounds: Vec<String>,
}

impl<'a> Common<'a> {
    fn new(name: &'a str, own: &OwnFamily<'_>, format: Format) -> Self {
        let OwnFamily { family, schema, added, .. } = own;
        let mut constant = String::from("{");
        for (name, value) in schema.const_labels() {
            write_label(&mut constant, name, value);
        }
        let own = family.labels().iter().map(|name| format!("{name}=\""));
        let mut added_labels = String::new();
        write_pairs(&mut added_labels, added);
        let bounds = schema.bounds(family).iter().map(|bound| format.float(*bound));
        let bounds = bounds.chain(["+Inf".to_owned()]).map(|le| format!("le=\"{le}\"}} "));
        Self { name, constant, own: own.collect(), added: added_labels, bounds: bounds.collect() }
    }
}

/// A series of a family of this crate's.
#[derive(Debug)]
struct Series<'a> {
    common: &'a Common<'a>,
    /// The opening brace, the constant labels and those of the method, which the method's series share.
    of_method: &'a str,
    /// The values of the family's own labels.
    own: &'a [&'a str],
}

impl Series<'_> {
    /// Writes the name and the labels, without the closing brace.
    fn open(&self, text: &mut String, suffix: &str) {
        let Common { name, own, added, .. } = self.common;
        for part in [name, suffix, self.of_method] {
            text.push_str(part);
        }
        for (name, value) in own.iter().zip(self.own) {
            text.push_str(name);
            write_value(text, value);
        }
        text.push_str(added);
    }
}

impl Writer {
    pub(in crate::export) fn new(format: Format) -> Self {
        Self { text: String::new(), format, bucket: String::new() }
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
        let OwnFamily { family, schema, snapshot, .. } = *own;
        let common = Common::new(name, own, self.format);
        let mut of_method = String::new();
        let (start, mut methods) = (self.text.len(), 0);
        schema.visit(family, snapshot, |labels, value| {
            if without_upstream.is_some_and(|without| labels.lack_upstream() != without) {
                return;
            }
            if labels.are_first_of_method() {
                if methods == 1 {
                    // As much for each of the others, so that the text need not grow and move step by step.
                    let others = snapshot.of_side(family.side()).len() - 1;
                    self.text.reserve((self.text.len() - start) * others);
                }
                methods += 1;
                of_method.clear();
                of_method.push_str(&common.constant);
                for (name, value) in labels.of_method() {
                    write_label(&mut of_method, name, value);
                }
            }
            let series = Series { common: &common, of_method: &of_method, own: labels.own() };
            match value {
                Value::Count(count) => self.count(&series, "", count),
                Value::Ratio(ratio) => self.float(&series, "", ratio),
                Value::Histogram(histogram) => self.histogram(&series, samples, histogram),
            }
        });
    }

    fn histogram(&mut self, series: &Series<'_>, samples: Samples, histogram: Histogram<'_>) {
        if samples.include_bucket() {
            let mut bucket = mem::take(&mut self.bucket);
            bucket.clear();
            series.open(&mut bucket, "_bucket");
            let bounds = series.common.bounds.iter().zip(histogram.cumulative);
            for (i, (bound, below)) in bounds.enumerate() {
                self.text.push_str(&bucket);
                self.text.push_str(bound);
                self.format.write_count(&mut self.text, *below);
                // A family of buckets alone is of type `unknown`, which has no exemplars.
                if self.format == Format::OpenMetrics && samples == Samples::All {
                    self.write_exemplar(histogram, i);
                }
                self.text.push('\n');
            }
            self.bucket = bucket;
        }
        if samples.include_sum() {
            self.float(series, "_sum", histogram.sum);
        }
        if samples.include_count() {
            self.count(series, "_count", histogram.count());
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

    fn count(&mut self, series: &Series<'_>, suffix: &str, value: u64) {
        series.open(&mut self.text, suffix);
        close(&mut self.text);
        self.format.write_count(&mut self.text, value);
        self.text.push('\n');
    }

    fn float(&mut self, series: &Series<'_>, suffix: &str, value: f64) {
        series.open(&mut self.text, suffix);
        close(&mut self.text);
        self.format.write_float(&mut self.text, value);
        self.text.push('\n');
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

/// Closes the labels of a series: `{a="b",` becomes `{a="b"} `.
pub(in crate::export) fn close(text: &mut String) {
    if text.ends_with(',') {
        text.pop();
    }
    text.push_str("} ");
}

pub(in crate::export) fn write_pairs(text: &mut String, labels: &[LabelPair]) {
    for label in labels {
        write_label(text, label.name(), label.value());
    }
}

pub(in crate::export) fn write_label(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=\"");
    write_value(text, value);
}

/// Writes the value of a label with what ends it.
fn write_value(text: &mut String, value: &str) {
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
