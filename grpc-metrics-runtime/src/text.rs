//! The text format, written from the series.
//!
//! With a thousand methods, what `prometheus` makes of a scrape is a hundred thousand strings, which it
//! sorts and copies. Here our families are written as text at once. In the registry a placeholder
//! stands for them, and so gets the registry's order, prefix and labels.

use std::cell::RefCell;
use std::fmt::Write;
use std::sync::Arc;

use prometheus::proto::{LabelPair, Metric, MetricFamily};
use prometheus::{Registry, TextEncoder};

use crate::collector::{Collector, pair, to_f64};
use crate::series::{self, FAMILIES, Family, Value};
use crate::snapshot::{MethodSnapshot, Snapshot};

/// The label of a placeholder; no legal label has this name.
const PLACEHOLDER: &str = "\u{0}grpc-metrics-runtime";

/// A collector that was asked while this thread encodes, and what it was to show.
struct Asked {
    collector: Arc<Collector>,
    snapshot: Snapshot,
    /// Families that a placeholder was given for.
    placeholders: usize,
}

thread_local! {
    /// While this thread gathers for [`encode`]: those that were asked.
    static ASKED: RefCell<Option<Vec<Asked>>> = const { RefCell::new(None) };
}

/// Everything in the registry, as `TextEncoder` writes it, byte for byte.
pub(crate) fn encode(registry: &Registry) -> prometheus::Result<String> {
    let (families, asked) = gather(registry);
    write(&families, &asked).unwrap_or_else(|| {
        // Some program's collector has a registry of its own, with a collector of ours in it, or gives
        // metrics under our names. What it makes of placeholders is nobody's business.
        TextEncoder::new().encode_to_string(&registry.gather())
    })
}

/// The families as text; `None` if a placeholder has gone elsewhere, or stands beside other metrics.
fn write(families: &[MetricFamily], asked: &[Asked]) -> Option<prometheus::Result<String>> {
    let mut text = String::new();
    let mut missing: usize = asked.iter().map(|asked| asked.placeholders).sum();
    for family in families {
        if !family.get_metric().iter().any(|metric| placeholder(metric).is_some()) {
            let encoded = TextEncoder::new().encode_utf8(std::slice::from_ref(family), &mut text);
            if let Err(error) = encoded {
                return Some(Err(error));
            }
            continue;
        }
        for (i, metric) in family.get_metric().iter().enumerate() {
            let (index, of, labels) = placeholder(metric)?;
            let Asked { collector, snapshot, .. } = asked.get(index)?;
            missing = missing.checked_sub(1)?;
            let name = family.name();
            if i == 0 {
                let kind = format!("{:?}", of.kind).to_lowercase();
                let _ = write!(text, "# HELP {name} {}\n# TYPE {name} {kind}\n", of.help);
            }
            Lines { text: &mut text, name, of, collector, labels }.write(snapshot);
        }
    }
    (missing == 0).then_some(Ok(text))
}

fn gather(registry: &Registry) -> (Vec<MetricFamily>, Vec<Asked>) {
    /// Ends the asking, even if another collector panics. One that encodes a registry of its own does so
    /// in between.
    struct Asking(Option<Vec<Asked>>);
    impl Drop for Asking {
        fn drop(&mut self) {
            ASKED.set(self.0.take());
        }
    }
    let _asking = Asking(ASKED.replace(Some(Vec::new())));
    let families = registry.gather();
    (families, ASKED.take().unwrap_or_default())
}

/// What a collector gives when it is asked for its families: all of them, or in [`encode`] a placeholder
/// for each.
pub(crate) fn collect(collector: &Arc<Collector>, snapshot: Snapshot) -> Vec<MetricFamily> {
    let index = ASKED.with_borrow(|asked| asked.as_ref().map(Vec::len));
    let Some(index) = index else { return collector.families(&snapshot) };
    let families = collector.families_of(|family| {
        let mut any = false;
        for method in snapshot.methods() {
            series::of_method(family.of, method, &collector.codes, |_, _| any = true);
        }
        let value = format!("{index} {}", family.of as usize);
        let placeholder = || Metric::from_label(vec![pair(PLACEHOLDER, &value)]);
        any.then(placeholder).into_iter().collect()
    });
    let placeholders = families.iter().map(|family| family.get_metric().len()).sum();
    let asked = Asked { collector: Arc::clone(collector), snapshot, placeholders };
    ASKED.with_borrow_mut(|all| all.get_or_insert_default().push(asked));
    families
}

/// Which of the asked collectors and which family a placeholder stands for, and the labels that the
/// registry has added.
fn placeholder(metric: &Metric) -> Option<(usize, &'static Family, &[LabelPair])> {
    let (first, added) = metric.get_label().split_first()?;
    let (index, family) = first.value().split_once(' ').filter(|_| first.name() == PLACEHOLDER)?;
    Some((index.parse().ok()?, FAMILIES.get(family.parse::<usize>().ok()?)?, added))
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
