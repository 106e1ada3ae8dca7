//! From series to Prometheus's metric families.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use prometheus::core::Desc;
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};

use super::gathered;
use super::series::{self, Codes, FAMILIES, Family, Value};
use crate::instance::{Instance, MethodSnapshot, Settings, Snapshot};

/// An instance as the registry sees it.
#[derive(Clone, Debug)]
pub(crate) struct Exposition {
    pub(crate) instance: Arc<Instance>,
    collector: Arc<Collector>,
}

impl Exposition {
    pub(crate) fn of(instance: Arc<Instance>) -> Self {
        let collector = Arc::new(Collector::new(instance.settings()));
        Self { instance, collector }
    }

    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    /// The label that a series of ours has twice in these families of a registry, if any has.
    pub(crate) fn label_given_twice(&self, gathered: &[MetricFamily]) -> Option<String> {
        self.collector.label_given_twice(gathered)
    }
}

impl prometheus::core::Collector for Exposition {
    fn desc(&self) -> Vec<&Desc> {
        self.collector.descs()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        gathered::collect(&self.collector, self.instance.snapshot())
    }
}

/// What every series of ours says.
pub(crate) const METHOD_LABELS: [&str; 2] = ["service", "method"];

/// Names, constant labels and bounds, ready for a scrape.
#[derive(Debug)]
pub(crate) struct Collector {
    descs: Vec<Desc>,
    /// Of the families, in their order.
    names: Vec<String>,
    pub(crate) const_labels: Vec<LabelPair>,
    /// Upper bounds in seconds, without the unbounded one.
    pub(crate) buckets: Arc<[f64]>,
    pub(crate) codes: Codes,
}

impl Collector {
    pub(crate) fn new(settings: &Settings) -> Self {
        let const_labels: HashMap<_, _> = settings.const_labels.clone().into_iter().collect();
        let name = |family: &Family| format!("{}_{}", settings.prefix, family.name);
        let desc = |family: &Family| {
            let labels = METHOD_LABELS.iter().chain(family.labels).map(|name| (*name).to_owned());
            Desc::new(name(family), family.help.to_owned(), labels.collect(), const_labels.clone())
                .expect("settings are checked for all that makes a descriptor illegal")
        };
        let pairs = settings.const_labels.iter().map(|(name, value)| pair(name, value));
        Self {
            descs: FAMILIES.iter().map(desc).collect(),
            names: FAMILIES.iter().map(name).collect(),
            const_labels: pairs.collect(),
            buckets: Arc::from(&*settings.buckets),
            codes: Codes::new(settings),
        }
    }

    pub(crate) fn descs(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    pub(crate) fn families(&self, snapshot: &Snapshot) -> Vec<MetricFamily> {
        self.families_of(|family| {
            let mut metrics = Vec::new();
            for method in snapshot.methods() {
                series::of_method(family.of, method, &self.codes, |labels, value| {
                    metrics.push(self.metric(family, method, labels, value));
                });
            }
            metrics
        })
    }

    /// The families that have any metrics: those that `metrics` gives for each.
    pub(crate) fn families_of(
        &self,
        metrics: impl Fn(&Family) -> Vec<Metric>,
    ) -> Vec<MetricFamily> {
        let named = FAMILIES.iter().zip(&self.names).filter_map(|(family, name)| {
            let metrics = metrics(family);
            if metrics.is_empty() {
                return None;
            }
            let mut named = MetricFamily::default();
            named.set_name(name.clone());
            named.set_help(family.help.to_owned());
            named.set_field_type(family.kind);
            named.set_metric(metrics);
            Some(named)
        });
        named.collect()
    }

    fn label_given_twice(&self, gathered: &[MetricFamily]) -> Option<String> {
        let ours = gathered.iter().filter(|family| {
            // The registry may have put a prefix of its own before the name.
            self.names.iter().any(|name| family.name().ends_with(name.as_str()))
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

    fn metric(
        &self,
        family: &Family,
        method: &MethodSnapshot,
        labels: &[&str],
        value: Value,
    ) -> Metric {
        let names = METHOD_LABELS.iter().chain(family.labels);
        let values = [method.service(), method.method()];
        let values = values.iter().chain(labels);
        let labels = names.zip(values).map(|(name, value)| pair(name, value));
        let mut metric =
            Metric::from_label(self.const_labels.iter().cloned().chain(labels).collect());
        match value {
            Value::Number(number) if family.kind == MetricType::COUNTER => {
                let mut counter = Counter::default();
                counter.set_value(to_f64(number));
                metric.set_counter(counter);
            }
            Value::Number(number) => {
                let mut gauge = Gauge::default();
                gauge.set_value(to_f64(number));
                metric.set_gauge(gauge);
            }
            Value::Ratio(ratio) => {
                let mut gauge = Gauge::default();
                gauge.set_value(ratio);
                metric.set_gauge(gauge);
            }
            Value::Histogram { cumulative, sum } => {
                metric.set_histogram(self.histogram(&cumulative, sum));
            }
        }
        metric
    }

    fn histogram(&self, cumulative: &[u64], sum: f64) -> Histogram {
        let buckets = self.buckets.iter().zip(cumulative).map(|(bound, below)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(*below);
            bucket
        });
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets.collect());
        histogram.set_sample_count(cumulative.last().copied().unwrap_or(0));
        histogram.set_sample_sum(sum);
        histogram
    }
}

pub(crate) fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}

/// Exact below 2^53, which is how Prometheus stores every sample.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn to_f64(value: u64) -> f64 {
    value as f64
}
