//! The families of a registry, with placeholders for this crate's own.
//!
//! With a thousand methods, `prometheus` allocates, sorts and copies a hundred thousand strings per scrape. So while
//! one of this crate's encoders gathers, an instance returns one placeholder per family. The registry sorts the
//! placeholders and adds its prefix and labels, which only it knows.
//!
//! Another collector may gather a registry that holds an instance, and pass on what it got. If it passed on changed
//! placeholders, or not all of them, the registry is gathered again, without placeholders.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::iter;
use std::sync::Arc;

use prometheus::Registry;
use prometheus::proto::{LabelPair, Metric, MetricFamily};

use super::metric_families::{families, metric_family, metric_type, pair};
use super::schema::{Family, Schema};
use crate::instance::Snapshot;

/// The first label of a placeholder. It is not a valid label name, so no other metric has it. It is followed by the
/// labels of the family, without values.
const PLACEHOLDER: &str = "\u{0}grpc-metrics-runtime";

/// The snapshot of an instance that returned placeholders.
struct Deferred {
    schema: Arc<Schema>,
    snapshot: Snapshot,
    placeholders: usize,
}

thread_local! {
    /// The instances collected so far, while this thread gathers for [`Gathered::from_registry`].
    static DEFERRED: RefCell<Option<Vec<Deferred>>> = const { RefCell::new(None) };
}

/// The families of a registry in its order, this crate's own as placeholders.
pub(super) struct Gathered {
    families: Vec<MetricFamily>,
    deferred: Vec<Deferred>,
}

/// A family of one instance.
pub(super) struct OwnFamily<'a> {
    pub(super) family: &'a Family,
    pub(super) schema: &'a Schema,
    pub(super) snapshot: &'a Snapshot,
    /// The labels that the registry adds to every series.
    pub(super) added: &'a [LabelPair],
}

impl OwnFamily<'_> {
    /// Returns the values by which a registry sorts the series of instances that share a family.
    fn const_values(&self) -> impl ExactSizeIterator<Item = &str> {
        self.schema.const_labels().iter().map(|(_, value)| value.as_str())
    }

    /// Compares the series of two instances that share a family in the registry's order.
    fn cmp_labels(&self, other: &Self) -> Ordering {
        let by_len = self.const_values().len().cmp(&other.const_values().len());
        by_len.then_with(|| self.const_values().cmp(other.const_values()))
    }

    /// Returns whether a family of placeholders is as the instance returned it, apart from the registry's prefix.
    fn is_unchanged(&self, family: &MetricFamily) -> bool {
        family.name().ends_with(&self.family.name)
            && family.help() == self.family.help()
            && family.get_field_type() == metric_type(self.family)
    }
}

impl Gathered {
    pub(super) fn from_registry(registry: &Registry) -> Self {
        let gathered = gather(registry);
        if gathered.has_all_placeholders() {
            return gathered;
        }
        Self { families: registry.gather(), deferred: Vec::new() }
    }

    /// Returns each family with the instances that its placeholders stand for. A family of other collectors has none.
    pub(super) fn families(&self) -> impl Iterator<Item = (&MetricFamily, Vec<OwnFamily<'_>>)> {
        self.families.iter().map(|family| {
            let ours = family.get_metric().iter().filter_map(|metric| self.own_family(metric));
            let mut ours: Vec<_> = ours.collect();
            // The registry has sorted the placeholders in the order in which it collected them.
            ours.sort_by(OwnFamily::cmp_labels);
            (family, ours)
        })
    }

    /// Returns whether every placeholder has come back unchanged, no family mixes placeholders with other metrics, and
    /// no two instances have the same labels, so that the registry would not mix their series.
    fn has_all_placeholders(&self) -> bool {
        let mut missing: usize = self.deferred.iter().map(|deferred| deferred.placeholders).sum();
        for (family, ours) in self.families() {
            let metrics = family.get_metric();
            if !metrics.iter().any(is_placeholder) {
                continue;
            }
            if ours.len() != metrics.len()
                || ours.len() > missing
                || !ours.iter().all(|own| own.is_unchanged(family))
                || ours.windows(2).any(|two| two[0].cmp_labels(&two[1]).is_eq())
            {
                return false;
            }
            missing -= ours.len();
        }
        missing == 0
    }

    /// Returns what a placeholder stands for, or `None` if the metric is none, or was changed.
    fn own_family<'a>(&'a self, metric: &'a Metric) -> Option<OwnFamily<'a>> {
        let (first, labels) =
            metric.get_label().split_first().filter(|_| is_placeholder(metric))?;
        let (index, family) = first.value().split_once(' ')?;
        let Deferred { schema, snapshot, .. } = self.deferred.get(index.parse::<usize>().ok()?)?;
        let family = schema.families().get(family.parse::<usize>().ok()?)?;
        let names: Vec<_> = label_names(schema, family).collect();
        let (own, added) = labels.split_at_checked(names.len())?;
        let is_own =
            |(label, name): (&LabelPair, &&str)| label.name() == *name && label.value().is_empty();
        let unchanged = own.iter().zip(&names).all(is_own) && metric.timestamp_ms() == 0;
        unchanged.then_some(OwnFamily { family, schema, snapshot, added })
    }
}

fn gather(registry: &Registry) -> Gathered {
    /// Restores the previous state, even if a collector panics. There is one if a collector encodes a registry of its
    /// own.
    struct Restore(Option<Vec<Deferred>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            DEFERRED.set(self.0.take());
        }
    }
    let _restore = Restore(DEFERRED.replace(Some(Vec::new())));
    let families = registry.gather();
    Gathered { families, deferred: DEFERRED.take().unwrap_or_default() }
}

/// Returns the families of an instance; during [`Gathered::from_registry`], a placeholder for each.
pub(super) fn collect(schema: &Arc<Schema>, snapshot: Snapshot) -> Vec<MetricFamily> {
    let index = DEFERRED.with_borrow(|deferred| deferred.as_ref().map(Vec::len));
    let Some(index) = index else { return families(schema, &snapshot) };
    let all = schema.families().iter().enumerate();
    let shown = all.filter(|(_, family)| schema.has_series(family, &snapshot));
    let placeholders: Vec<_> = shown
        .map(|(i, family)| {
            let names = label_names(schema, family).map(|name| pair(name, ""));
            let labels = iter::once(pair(PLACEHOLDER, &format!("{index} {i}"))).chain(names);
            metric_family(family, vec![Metric::from_label(labels.collect())])
        })
        .collect();
    let deferred =
        Deferred { schema: Arc::clone(schema), snapshot, placeholders: placeholders.len() };
    DEFERRED.with_borrow_mut(|all| all.get_or_insert_default().push(deferred));
    placeholders
}

fn is_placeholder(metric: &Metric) -> bool {
    metric.get_label().first().is_some_and(|label| label.name() == PLACEHOLDER)
}

/// Returns the labels of all series of the family, in order, except for those that the registry adds.
fn label_names<'a>(schema: &'a Schema, family: &'a Family) -> impl Iterator<Item = &'a str> {
    let constant = schema.const_labels().iter().map(|(name, _)| name);
    constant.chain(family.method_labels()).chain(family.labels()).map(String::as_str)
}
