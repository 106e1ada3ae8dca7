//! The names and types of families in OpenMetrics.
//!
//! In OpenMetrics, a family claims more names than those of its samples: the counter `foo_total` also claims `foo` and
//! `foo_created`. No name may be claimed twice. So first, all families claim the names of their samples, which are
//! fixed. Then histograms and then counters, each in the order of names, claim the other names of their type. If one of
//! these is claimed already, the family becomes `unknown`, which claims no other names: each of its sample names is
//! then a family.

use std::collections::HashMap;

use prometheus::proto::{MetricFamily, MetricType};

use super::foreign;
use crate::export::foreign::check;
use crate::export::gathered::OwnFamily;
use crate::export::text::writer::Samples;

/// A family in OpenMetrics.
pub(super) struct Exposed {
    pub(super) name: String,
    /// Escaped.
    pub(super) help: String,
    pub(super) ty: Type,
    /// The indices of gathered families, and which of their samples belong to this family.
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

/// The suffixes of sample names, by type.
const PLAIN: [(Samples, &str); 1] = [(Samples::Plain, "")];
const HISTOGRAM: [(Samples, &str); 3] =
    [(Samples::Bucket, "_bucket"), (Samples::Sum, "_sum"), (Samples::Count, "_count")];
const SUMMARY: [(Samples, &str); 3] =
    [(Samples::Plain, ""), (Samples::Sum, "_sum"), (Samples::Count, "_count")];

/// The suffix of a counter's samples, which the family's name lacks.
const TOTAL: &str = "_total";

/// The owner of a name that samples of several families have.
const SHARED: usize = usize::MAX;

/// Returns all families in OpenMetrics, or an error for a family without a name or type.
pub(super) fn exposed(
    gathered: &[(&MetricFamily, Vec<OwnFamily<'_>>)],
) -> prometheus::Result<Vec<Exposed>> {
    let mut claims = Claims::default();
    for (i, (family, _)) in gathered.iter().enumerate() {
        check(family)?;
        for (_, suffix) in samples(family) {
            claims.claim_sample(i, format!("{}{suffix}", family.name()));
        }
    }
    let mut is_typed = vec![false; gathered.len()];
    for ty in [MetricType::HISTOGRAM, MetricType::COUNTER, MetricType::GAUGE] {
        for (i, (family, ours)) in gathered.iter().enumerate() {
            if family.get_field_type() == ty
                && (!ours.is_empty() || foreign::is_valid(family))
                && let Some(names) = claimed_names(family)
            {
                is_typed[i] = claims.claim_all(i, names);
            }
        }
    }
    let mut all = Vec::<Exposed>::new();
    let mut unknown = HashMap::<String, usize>::new();
    for (i, (family, _)) in gathered.iter().enumerate() {
        let new =
            |name: String, ty| Exposed { name, help: escaped(family.help()), ty, parts: vec![] };
        if is_typed[i] {
            let (name, ty) = match family.get_field_type() {
                MetricType::COUNTER => (family_name(family.name()), Type::Counter),
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

fn samples(family: &MetricFamily) -> &'static [(Samples, &'static str)] {
    match family.get_field_type() {
        MetricType::HISTOGRAM => &HISTOGRAM,
        MetricType::SUMMARY => &SUMMARY,
        _ => &PLAIN,
    }
}

/// Returns the name of a counter's family.
fn family_name(counter: &str) -> &str {
    counter.strip_suffix(TOTAL).unwrap_or(counter)
}

/// Returns all names that the family claims with its type, or `None` if it can't have that type.
fn claimed_names(family: &MetricFamily) -> Option<Vec<String>> {
    let name = family.name();
    let (name, suffixes): (_, &[&str]) = match family.get_field_type() {
        MetricType::COUNTER => (name.strip_suffix(TOTAL)?, &["", TOTAL, "_created"]),
        MetricType::HISTOGRAM => (name, &["", "_bucket", "_sum", "_count", "_created"]),
        MetricType::GAUGE => (name, &[""]),
        _ => return None,
    };
    (!name.is_empty()).then(|| suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect())
}

/// The owners of names: the index of a family, or [`SHARED`].
#[derive(Default)]
struct Claims(HashMap<String, usize>);

impl Claims {
    fn claim_sample(&mut self, by: usize, name: String) {
        self.0.entry(name).and_modify(|owner| *owner = SHARED).or_insert(by);
    }

    /// Claims all names, or none if another family owns one of them. Returns whether it did.
    fn claim_all(&mut self, by: usize, names: Vec<String>) -> bool {
        let free = names.iter().all(|name| self.0.get(name).is_none_or(|owner| *owner == by));
        if free {
            self.0.extend(names.into_iter().map(|name| (name, by)));
        }
        free
    }
}

/// Escapes a HELP text.
fn escaped(help: &str) -> String {
    help.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}
