//! The `prometheus` collector of an instance.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

use super::gathered;
use super::schema::{Family, Schema};
use crate::instance::Instance;

/// An instance with its schema, as a collector.
#[derive(Clone, Debug)]
pub(crate) struct Exposition {
    pub(crate) instance: Arc<Instance>,
    pub(super) schema: Arc<Schema>,
    descs: Arc<[Desc]>,
}

impl Exposition {
    pub(crate) fn new(instance: Arc<Instance>) -> Self {
        let schema = Schema::new(instance.settings());
        let const_labels: HashMap<_, _> = schema.const_labels().iter().cloned().collect();
        let desc = |family: &Family| {
            let labels = family.method_labels().iter().chain(family.labels()).cloned();
            let (name, help) = (family.name.clone(), family.help().to_owned());
            Desc::new(name, help, labels.collect(), const_labels.clone())
                .expect("the builder has validated the settings")
        };
        let mut descs: Vec<_> = schema.families().iter().map(desc).collect();
        descs.push(identity(&descs[0], &schema));
        let descs = descs.into();
        Self { instance, schema: Arc::new(schema), descs }
    }

    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    #[cfg(any(feature = "monitoring", feature = "otlp"))]
    pub(crate) fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Returns a label that one of the instance's series has twice in these families of a registry.
    pub(crate) fn duplicate_label(&self, gathered: &[MetricFamily]) -> Option<String> {
        let ours = gathered.iter().filter(|family| {
            // The registry may have added a prefix.
            self.schema.families().iter().any(|ours| family.name().ends_with(&ours.name))
        });
        ours.flat_map(MetricFamily::get_metric).find_map(|metric| {
            let mut seen = HashSet::new();
            let twice = metric
                .get_label()
                .iter()
                .find(|label| label.name() == "le" || !seen.insert(label.name()));
            twice.map(|label| label.name().to_owned())
        })
    }
}

/// Returns one more descriptor, of the first family, whose id tells apart instances with other labels.
///
/// A registry identifies a collector by the sum of its descriptors' ids, which are hashes that differ in a few bits if
/// the labels do. Without this one, those differences may cancel out, and the registry takes two instances for one.
fn identity(first: &Desc, schema: &Schema) -> Desc {
    let mut hasher = DefaultHasher::new();
    (&first.fq_name, schema.const_labels()).hash(&mut hasher);
    Desc { id: hasher.finish(), ..first.clone() }
}

impl Collector for Exposition {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        gathered::collect(&self.schema, self.instance.snapshot())
    }
}
