//! The text format, written from the series at once.

use std::fmt::Write;

use prometheus::proto::LabelPair;
use prometheus::{Registry, TextEncoder};

use super::collector::{Collector, to_f64};
use super::gathered::{Gathered, Ours};
use super::series::{self, Family, Value};
use crate::instance::{MethodSnapshot, Snapshot};

/// The `Content-Type` of [`GrpcMetrics::encode`](crate::GrpcMetrics::encode)'s text.
pub const TEXT_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything in the registry, as `TextEncoder` writes it, byte for byte.
pub(crate) fn encode(registry: &Registry) -> prometheus::Result<String> {
    let gathered = Gathered::of(registry);
    let mut text = String::new();
    for (family, all_ours) in gathered.families() {
        let name = family.name();
        let Some(Ours { of, .. }) = all_ours.first() else {
            TextEncoder::new().encode_utf8(std::slice::from_ref(family), &mut text)?;
            continue;
        };
        let kind = format!("{:?}", of.kind).to_lowercase();
        let _ = write!(text, "# HELP {name} {}\n# TYPE {name} {kind}\n", of.help);
        for Ours { of, collector, snapshot, added } in all_ours {
            Lines { text: &mut text, name, of, collector, labels: added }.write(snapshot);
        }
    }
    Ok(text)
}

/// The lines of one family of one collector.
struct Lines<'a> {
    text: &'a mut String,
    name: &'a str,
    of: &'a Family,
    collector: &'a Collector,
    /// What the registry adds to every series.
    labels: &'a [LabelPair],
}

impl Lines<'_> {
    fn write(mut self, snapshot: &Snapshot) {
        let mut before = String::from("{");
        labels_to(&mut before, &self.collector.const_labels);
        let mut added = String::new();
        labels_to(&mut added, self.labels);
        let buckets: Vec<String> =
            self.collector.buckets.iter().map(|bound| format!("le=\"{bound}\"}} ")).collect();
        let mut method_labels = String::new();
        for method in snapshot.methods() {
            method_labels.clone_from(&before);
            label_to(&mut method_labels, "service", method.service());
            label_to(&mut method_labels, "method", method.method());
            self.of_method(method, &method_labels, &added, &buckets);
        }
    }

    fn of_method(
        &mut self,
        method: &MethodSnapshot,
        labels: &str,
        added: &str,
        buckets: &[String],
    ) {
        let (text, name) = (&mut *self.text, self.name);
        let mut of_series = String::new();
        series::of_method(self.of.of, method, &self.collector.codes, |values, value| {
            of_series.clear();
            of_series.push_str(labels);
            for (name, value) in self.of.labels.iter().zip(values) {
                label_to(&mut of_series, name, value);
            }
            of_series.push_str(added);
            match value {
                Value::Ratio(ratio) => {
                    let _ = writeln!(text, "{name}{}{ratio}", closed(&of_series));
                }
                Value::Number(number) => line(text, &[name, &closed(&of_series)], number),
                Value::Histogram { cumulative, sum } => {
                    let count = cumulative.last().copied().unwrap_or(0);
                    for (bucket, below) in buckets.iter().zip(&cumulative) {
                        line(text, &[name, "_bucket", &of_series, bucket], *below);
                    }
                    line(text, &[name, "_bucket", &of_series, "le=\"+Inf\"} "], count);
                    let closed = closed(&of_series);
                    let _ = writeln!(text, "{name}_sum{closed}{sum}");
                    line(text, &[name, "_count", &closed], count);
                }
            }
        });
    }
}

/// One sample. `fmt` is most of what a line costs, so only the number goes through it.
fn line(text: &mut String, parts: &[&str], value: u64) {
    for part in parts {
        text.push_str(part);
    }
    // As the `f64` that Prometheus makes of it.
    let _ = if value < 1 << 53 {
        writeln!(text, "{value}")
    } else {
        writeln!(text, "{}", to_f64(value))
    };
}

/// `{a="b",` as the whole of a series' labels: `{a="b"} `.
fn closed(labels: &str) -> String {
    format!("{}}} ", labels.strip_suffix(',').unwrap_or(labels))
}

fn labels_to(text: &mut String, labels: &[LabelPair]) {
    for label in labels {
        label_to(text, label.name(), label.value());
    }
}

fn label_to(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=\"");
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
    text.push_str("\",");
}
