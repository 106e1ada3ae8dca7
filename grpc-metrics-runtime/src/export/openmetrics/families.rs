//! Which families OpenMetrics sees, and of which type.
//!
//! A family claims more names here than those of its samples: the counter `foo_total` claims `foo` and
//! `foo_created` too. No name may be claimed twice. So first all families have the names of their samples,
//! which stay whatever happens. Then histograms, then counters, each in the order of names, get the others
//! that their type claims. Those that find one taken are shown as `unknown`, each name of a sample as a
//! family of its own, where that type claims nothing else.

use std::collections::HashMap;

use prometheus::TextEncoder;
use prometheus::proto::{MetricFamily, MetricType};
use prometheus_client::metrics::MetricType as Kind;

use super::super::gathered::Gathered;
use super::samples;

/// One family as OpenMetrics has it.
pub(super) struct Shown {
    pub(super) name: String,
    /// Escaped.
    pub(super) help: String,
    pub(super) kind: Kind,
    /// Which samples it shows of which of the gathered families, by number.
    pub(super) parts: Vec<(usize, Part)>,
}

/// Samples of a family that have the same name, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// Those that have the family's own name.
    Plain,
    Bucket,
    Sum,
    Count,
}

/// The names of a family's samples, less its own.
const PLAIN: [(Part, &str); 1] = [(Part::Plain, "")];
const HISTOGRAM: [(Part, &str); 3] =
    [(Part::Bucket, "_bucket"), (Part::Sum, "_sum"), (Part::Count, "_count")];
const SUMMARY: [(Part, &str); 3] =
    [(Part::Plain, ""), (Part::Sum, "_sum"), (Part::Count, "_count")];

/// What a counter's samples end in, and its name does not.
const TOTAL: &str = "_total";

/// Several families have samples of this name.
const SHARED: usize = usize::MAX;

/// All families, or an error if one is none that the classic text could show.
pub(super) fn shown(gathered: &Gathered) -> prometheus::Result<Vec<Shown>> {
    let families: Vec<_> = gathered.families().collect();
    let mut claims = Claims::default();
    for (i, (family, _)) in families.iter().enumerate() {
        check(family)?;
        for (_, suffix) in parts(family) {
            claims.sample(i, format!("{}{suffix}", family.name()));
        }
    }
    let mut typed = vec![false; families.len()];
    for kind in [MetricType::HISTOGRAM, MetricType::COUNTER, MetricType::GAUGE] {
        for (i, (family, ours)) in families.iter().enumerate() {
            if family.get_field_type() == kind
                && (!ours.is_empty() || samples::fit_their_type(family))
                && let Some(names) = names(family)
            {
                typed[i] = claims.all(i, names);
            }
        }
    }
    let mut all = Vec::<Shown>::new();
    let mut unknown = HashMap::<String, usize>::new();
    for (i, (family, _)) in families.iter().enumerate() {
        let new =
            |name: String, kind| Shown { name, help: escaped(family.help()), kind, parts: vec![] };
        if typed[i] {
            let (name, kind) = match family.get_field_type() {
                MetricType::COUNTER => (base(family.name()), Kind::Counter),
                MetricType::HISTOGRAM => (family.name(), Kind::Histogram),
                _ => (family.name(), Kind::Gauge),
            };
            all.push(Shown { parts: vec![(i, Part::All)], ..new(name.to_owned(), kind) });
            continue;
        }
        for (part, suffix) in parts(family) {
            let name = format!("{}{suffix}", family.name());
            let at = *unknown.entry(name.clone()).or_insert_with(|| {
                all.push(new(name, Kind::Unknown));
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

fn parts(family: &MetricFamily) -> &'static [(Part, &'static str)] {
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

/// As the format has it in HELP; the encoder escapes labels only.
fn escaped(help: &str) -> String {
    help.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}
