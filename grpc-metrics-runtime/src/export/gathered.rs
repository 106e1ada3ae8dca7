//! All families of a registry, with ours not written out.
//!
//! With a thousand methods, a `prometheus` scrape makes a hundred thousand strings, and sorts and copies them. So
//! while one of our encoders gathers, a placeholder stands in the registry for each of our families, and gets the
//! registry's order, prefix and labels: these are known to the registry alone.

use std::cell::RefCell;
use std::sync::Arc;

use prometheus::Registry;
use prometheus::proto::{LabelPair, Metric, MetricFamily};

use super::metric_families::{families, metric_family, pair};
use super::schema::{Family, Schema};
use crate::instance::Snapshot;

/// The label of a placeholder. No legal label has this name.
const PLACEHOLDER: &str = "\u{0}grpc-metrics-runtime";

/// What an instance would have shown.
struct Deferred {
    schema: Arc<Schema>,
    snapshot: Snapshot,
    placeholders: usize,
}

thread_local! {
    /// The instances that were asked so far, while this thread gathers for [`Gathered::of`].
    static DEFERRED: RefCell<Option<Vec<Deferred>>> = const { RefCell::new(None) };
}

/// The families of a registry in its order, ours as placeholders.
pub(super) struct Gathered {
    families: Vec<MetricFamily>,
    deferred: Vec<Deferred>,
}

/// What one instance shows in one family.
pub(super) struct Ours<'a> {
    pub(super) family: &'a Family,
    pub(super) schema: &'a Schema,
    pub(super) snapshot: &'a Snapshot,
    /// The labels that the registry adds to every series.
    pub(super) added: &'a [LabelPair],
}

impl Gathered {
    pub(super) fn of(registry: &Registry) -> Self {
        let gathered = gather(registry);
        if gathered.has_all_placeholders() {
            return gathered;
        }
        // A collector of the program has gathered a registry with ours in it, or gives metrics under our names.
        // It may have changed the placeholders.
        Self { families: registry.gather(), deferred: Vec::new() }
    }

    /// Each family, and what stands for it if it is ours: nothing for a family of other collectors, which has its
    /// metrics.
    pub(super) fn families(&self) -> impl Iterator<Item = (&MetricFamily, Vec<Ours<'_>>)> {
        self.families.iter().map(|family| {
            let ours = family.get_metric().iter().filter_map(|metric| self.ours(metric));
            (family, ours.collect())
        })
    }

    /// Whether every placeholder that was given has come back, among no other metrics.
    fn has_all_placeholders(&self) -> bool {
        let mut missing: usize = self.deferred.iter().map(|deferred| deferred.placeholders).sum();
        for family in &self.families {
            let metrics = family.get_metric();
            if !metrics.iter().any(|metric| placeholder(metric).is_some()) {
                continue;
            }
            if !metrics.iter().all(|metric| self.ours(metric).is_some()) || metrics.len() > missing
            {
                return false;
            }
            missing -= metrics.len();
        }
        missing == 0
    }

    fn ours<'a>(&'a self, metric: &'a Metric) -> Option<Ours<'a>> {
        let (index, family, added) = placeholder(metric)?;
        let Deferred { schema, snapshot, .. } = self.deferred.get(index)?;
        Some(Ours { family: schema.families().get(family)?, schema, snapshot, added })
    }
}

fn gather(registry: &Registry) -> Gathered {
    /// Restores what was there, even if a collector panics: one that encodes a registry of its own does so
    /// in between.
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

/// What an instance gives when it is asked for its families: all of them, or in [`Gathered::of`] a
/// placeholder for each.
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

/// The instance and the family that a placeholder stands for, by index, and the labels that the registry has added.
fn placeholder(metric: &Metric) -> Option<(usize, usize, &[LabelPair])> {
    let (first, added) = metric.get_label().split_first()?;
    let (index, family) = first.value().split_once(' ').filter(|_| first.name() == PLACEHOLDER)?;
    Some((index.parse().ok()?, family.parse().ok()?, added))
}
