//! The families of a registry, with placeholders for this crate's own.
//!
//! With a thousand methods, `prometheus` allocates, sorts and copies a hundred thousand strings per scrape. So while
//! one of this crate's encoders gathers, an instance returns one placeholder per family. The registry sorts the
//! placeholders and adds its prefix and labels, which only it knows.

use std::cell::RefCell;
use std::sync::Arc;

use prometheus::Registry;
use prometheus::proto::{LabelPair, Metric, MetricFamily};

use super::metric_families::{families, metric_family, pair};
use super::schema::{Family, Schema};
use crate::instance::Snapshot;

/// The label of a placeholder. It is not a valid label name, so no other metric has it.
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

impl Gathered {
    pub(super) fn from_registry(registry: &Registry) -> Self {
        let gathered = gather(registry);
        if gathered.has_all_placeholders() {
            return gathered;
        }
        // Another collector has gathered a registry that holds an instance, or uses this crate's names. It may have
        // changed the placeholders.
        Self { families: registry.gather(), deferred: Vec::new() }
    }

    /// Returns each family with the instances that its placeholders stand for. A family of other collectors has none.
    pub(super) fn families(&self) -> impl Iterator<Item = (&MetricFamily, Vec<OwnFamily<'_>>)> {
        self.families.iter().map(|family| {
            let ours = family.get_metric().iter().filter_map(|metric| self.own_family(metric));
            (family, ours.collect())
        })
    }

    /// Returns whether every placeholder has come back, and no family mixes placeholders with other metrics.
    fn has_all_placeholders(&self) -> bool {
        let mut missing: usize = self.deferred.iter().map(|deferred| deferred.placeholders).sum();
        for family in &self.families {
            let metrics = family.get_metric();
            if !metrics.iter().any(|metric| placeholder(metric).is_some()) {
                continue;
            }
            if !metrics.iter().all(|metric| self.own_family(metric).is_some())
                || metrics.len() > missing
            {
                return false;
            }
            missing -= metrics.len();
        }
        missing == 0
    }

    fn own_family<'a>(&'a self, metric: &'a Metric) -> Option<OwnFamily<'a>> {
        let (index, family, added) = placeholder(metric)?;
        let Deferred { schema, snapshot, .. } = self.deferred.get(index)?;
        Some(OwnFamily { family: schema.families().get(family)?, schema, snapshot, added })
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
            let placeholder = Metric::from_label(vec![pair(PLACEHOLDER, &format!("{index} {i}"))]);
            metric_family(family, vec![placeholder])
        })
        .collect();
    let deferred =
        Deferred { schema: Arc::clone(schema), snapshot, placeholders: placeholders.len() };
    DEFERRED.with_borrow_mut(|all| all.get_or_insert_default().push(deferred));
    placeholders
}

/// Returns the indices of a placeholder's instance and family, and the labels that the registry has added.
fn placeholder(metric: &Metric) -> Option<(usize, usize, &[LabelPair])> {
    let (first, added) = metric.get_label().split_first()?;
    let (index, family) = first.value().split_once(' ').filter(|_| first.name() == PLACEHOLDER)?;
    Some((index.parse().ok()?, family.parse().ok()?, added))
}
