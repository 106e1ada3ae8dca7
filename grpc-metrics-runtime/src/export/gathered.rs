//! All families of a registry, with ours not written out.
//!
//! With a thousand methods, what `prometheus` makes of a scrape is a hundred thousand strings, which it
//! sorts and copies. While a format of ours gathers, a placeholder stands in the registry for each of our
//! families, and so gets the registry's order, prefix and labels.

use std::cell::RefCell;
use std::sync::Arc;

use prometheus::Registry;
use prometheus::proto::{LabelPair, Metric, MetricFamily};

use super::collector::{Collector, pair};
use super::series::{self, FAMILIES, Family};
use crate::instance::Snapshot;

/// The label of a placeholder; no legal label has this name.
const PLACEHOLDER: &str = "\u{0}grpc-metrics-runtime";

/// A collector that was asked while this thread gathers, and what it was to show.
struct Asked {
    collector: Arc<Collector>,
    snapshot: Snapshot,
    /// Families that a placeholder was given for.
    placeholders: usize,
}

thread_local! {
    /// While this thread gathers for [`Gathered::of`]: those that were asked.
    static ASKED: RefCell<Option<Vec<Asked>>> = const { RefCell::new(None) };
}

/// The families of a registry in its order, ours as placeholders.
pub(crate) struct Gathered {
    families: Vec<MetricFamily>,
    asked: Vec<Asked>,
}

/// What one collector of ours shows in one family.
pub(crate) struct Ours<'a> {
    pub(crate) of: &'static Family,
    pub(crate) collector: &'a Collector,
    pub(crate) snapshot: &'a Snapshot,
    /// The labels that the registry adds to every series.
    pub(crate) added: &'a [LabelPair],
}

impl Gathered {
    pub(crate) fn of(registry: &Registry) -> Self {
        let gathered = gather(registry);
        if gathered.has_all_placeholders() {
            return gathered;
        }
        // Some program's collector has a registry of its own, with a collector of ours in it, or gives
        // metrics under our names. What it makes of placeholders is nobody's business.
        Self { families: registry.gather(), asked: Vec::new() }
    }

    /// Each family, and what stands for it if it is ours. Of another's, that is nothing, and the family
    /// has its metrics.
    pub(crate) fn families(&self) -> impl Iterator<Item = (&MetricFamily, Vec<Ours<'_>>)> {
        self.families.iter().map(|family| (family, self.all_ours(family)))
    }

    /// The same of one family, by its number in that order.
    #[cfg(feature = "openmetrics")]
    pub(crate) fn family(&self, number: usize) -> Option<(&MetricFamily, Vec<Ours<'_>>)> {
        let family = self.families.get(number)?;
        Some((family, self.all_ours(family)))
    }

    fn all_ours<'a>(&'a self, family: &'a MetricFamily) -> Vec<Ours<'a>> {
        family.get_metric().iter().filter_map(|metric| self.ours(metric)).collect()
    }

    /// Whether every placeholder that was given has come back, among no other metrics.
    fn has_all_placeholders(&self) -> bool {
        let mut missing: usize = self.asked.iter().map(|asked| asked.placeholders).sum();
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
        let (index, of, added) = placeholder(metric)?;
        let Asked { collector, snapshot, .. } = self.asked.get(index)?;
        Some(Ours { of, collector, snapshot, added })
    }
}

fn gather(registry: &Registry) -> Gathered {
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
    Gathered { families, asked: ASKED.take().unwrap_or_default() }
}

/// What a collector gives when it is asked for its families: all of them, or in [`Gathered::of`] a
/// placeholder for each.
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
