//! Which families OpenMetrics has, and of which type.
//!
//! A family claims more names here than those of its samples: the counter `foo_total` claims `foo` and
//! `foo_created` too. No name may be claimed twice. So first all families get the names of their samples,
//! which are fixed. Then histograms, then counters, each in the order of names, get the others
//! that their type claims. A family that finds one of them taken has the type `unknown`, which claims nothing else:
//! each name of its samples is a family of its own.

use std::collections::HashMap;

use prometheus::TextEncoder;
use prometheus::proto::{MetricFamily, MetricType};

use super::foreign;
use crate::export::gathered::Ours;
use crate::export::text::writer::Samples;

/// A family as OpenMetrics has it.
pub(super) struct Exposed {
    pub(super) name: String,
    /// Escaped.
    pub(super) help: String,
    pub(super) ty: Type,
    /// The samples of which of the gathered families, by index.
    pub(super) parts: Vec<(usize, Samples)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Counter,
    Gauge,
    Histogram,
    Unknown,
}

impl Type {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Unknown => "unknown",
        }
    }
}

/// The names of a family's samples, without its own.
const PLAIN: [(Samples, &str); 1] = [(Samples::Plain, "")];
const HISTOGRAM: [(Samples, &str); 3] =
    [(Samples::Bucket, "_bucket"), (Samples::Sum, "_sum"), (Samples::Count, "_count")];
const SUMMARY: [(Samples, &str); 3] =
    [(Samples::Plain, ""), (Samples::Sum, "_sum"), (Samples::Count, "_count")];

/// The suffix that a counter's samples have, and its family has not.
const TOTAL: &str = "_total";

/// Several families have samples of this name.
const SHARED: usize = usize::MAX;

/// All families, or an error if the classic text could not show one either.
pub(super) fn exposed(
    gathered: &[(&MetricFamily, Vec<Ours<'_>>)],
) -> prometheus::Result<Vec<Exposed>> {
    let mut claims = Claims::default();
    for (i, (family, _)) in gathered.iter().enumerate() {
        check(family)?;
        for (_, suffix) in samples(family) {
            claims.sample(i, format!("{}{suffix}", family.name()));
        }
    }
    let mut typed = vec![false; gathered.len()];
    for ty in [MetricType::HISTOGRAM, MetricType::COUNTER, MetricType::GAUGE] {
        for (i, (family, ours)) in gathered.iter().enumerate() {
            if family.get_field_type() == ty
                && (!ours.is_empty() || foreign::fits_its_type(family))
                && let Some(names) = names(family)
            {
                typed[i] = claims.all(i, names);
            }
        }
    }
    let mut all = Vec::<Exposed>::new();
    let mut unknown = HashMap::<String, usize>::new();
    for (i, (family, _)) in gathered.iter().enumerate() {
        let new =
            |name: String, ty| Exposed { name, help: escaped(family.help()), ty, parts: vec![] };
        if typed[i] {
            let (name, ty) = match family.get_field_type() {
                MetricType::COUNTER => (base(family.name()), Type::Counter),
                MetricType::HISTOGRAM => (family.name(), Type::Histogram),
                _ => (family.name(), Type::Gauge),
            };
            all.push(Exposed { parts: vec![(i, Samples::All)], ..new(name.to_owned(), ty) });
            continue;
        }
        for (part, suffix) in samples(family) {
            let name = format!("{}{suffix}", family.name());
            let at = *unknown.entry(name.clone()).or_insert_with(|| {
                all.push(new(name, Type::Unknown));
                all.len() - 1
            });
            all[at].parts.push((i, *part));
        }
    }
    Ok(all)
}

fn check(family: &MetricFamily) -> prometheus::Result<()> {
    if family.name().is_empty() {
        // In its words.
        TextEncoder::new().encode_utf8(std::slice::from_ref(family), &mut String::new())?;
    }
    if family.get_field_type() == MetricType::UNTYPED {
        // Its value is read differently in each of the two builds of `prometheus`.
        let message = format!("MetricFamily is untyped: {:?}", family.name());
        return Err(prometheus::Error::Msg(message));
    }
    Ok(())
}

fn samples(family: &MetricFamily) -> &'static [(Samples, &'static str)] {
    match family.get_field_type() {
        MetricType::HISTOGRAM => &HISTOGRAM,
        MetricType::SUMMARY => &SUMMARY,
        _ => &PLAIN,
    }
}

/// The name of a counter's family.
fn base(counter: &str) -> &str {
    counter.strip_suffix(TOTAL).unwrap_or(counter)
}

/// All names that the family claims in its own type; `None` if it can't have that.
fn names(family: &MetricFamily) -> Option<Vec<String>> {
    let name = family.name();
    let (name, suffixes): (_, &[&str]) = match family.get_field_type() {
        MetricType::COUNTER => (name.strip_suffix(TOTAL)?, &["", TOTAL, "_created"]),
        MetricType::HISTOGRAM => (name, &["", "_bucket", "_sum", "_count", "_created"]),
        MetricType::GAUGE => (name, &[""]),
        _ => return None,
    };
    (!name.is_empty()).then(|| suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect())
}

/// Who has which name: the number of a family, or [`SHARED`].
#[derive(Default)]
struct Claims(HashMap<String, usize>);

impl Claims {
    fn sample(&mut self, by: usize, name: String) {
        self.0.entry(name).and_modify(|owner| *owner = SHARED).or_insert(by);
    }

    /// Claims all of the names, or none if another has one of them.
    fn all(&mut self, by: usize, names: Vec<String>) -> bool {
        let free = names.iter().all(|name| self.0.get(name).is_none_or(|owner| *owner == by));
        if free {
            self.0.extend(names.into_iter().map(|name| (name, by)));
        }
        free
    }
}

/// As the format has it in HELP.
fn escaped(help: &str) -> String {
    help.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}
