//! Prometheus rules, alerts, a Grafana dashboard and configuration for the metrics of a [`GrpcMetrics`], as text.

mod config;
mod dashboard;
mod queries;
mod rules;
mod stack;
mod target_labels;
mod template;

use std::sync::Arc;

use self::queries::Vocabulary;
use self::target_labels::TargetLabels;
use crate::export::Schema;
use crate::grpc::CodeSet;
use crate::instance::Settings;
use crate::{CodeLabel, Error, GrpcMetrics};

/// The rules, alerts, dashboard and configuration for a [`GrpcMetrics`]; see [`GrpcMetrics::monitoring`].
#[derive(Clone, Debug)]
pub struct Monitoring {
    metrics: Metrics,
    labels: TargetLabels,
}

/// The monitored metrics.
#[derive(Clone, Debug)]
struct Metrics {
    prefix: String,
    schema: Arc<Schema>,
    vocabulary: Vocabulary,
    /// The server-fault codes.
    faults: CodeSet,
    code_label: CodeLabel,
    has_native: bool,
}

/// A file of [`Monitoring::files`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct File {
    /// The path relative to the directory, separated by `/`.
    pub path: &'static str,
    /// The content.
    pub text: String,
}

impl GrpcMetrics {
    /// Returns the monitoring of these metrics, in their names, and for their fault codes and spelling of codes.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use grpc_metrics_runtime::GrpcMetrics;
    ///
    /// let monitoring = GrpcMetrics::builder().prefix("shop_grpc").build()?.monitoring();
    /// # let directory = std::env::temp_dir();
    /// # let name = format!("rules-{}.yml", std::process::id());
    /// # let path = directory.join(name);
    /// std::fs::write(&path, monitoring.rules())?;
    /// # std::fs::remove_file(path)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A prefix added by the registry, see [`Registry::new_custom`], is not taken into account.
    ///
    /// [`Registry::new_custom`]: crate::prometheus::Registry::new_custom
    pub fn monitoring(&self) -> Monitoring {
        let metrics = Metrics::new(self.instance().settings(), Arc::clone(self.schema()));
        Monitoring { metrics, labels: TargetLabels::default() }
    }
}

impl Metrics {
    fn new(settings: &Settings, schema: Arc<Schema>) -> Self {
        Self {
            prefix: settings.prefix.clone(),
            vocabulary: Vocabulary::new(&schema),
            schema,
            faults: settings.fault_codes,
            code_label: settings.code_label,
            has_native: settings.native_histograms,
        }
    }

    /// Returns the labels of the server-fault codes, as a regular expression.
    fn fault_labels(&self) -> String {
        let labels: Vec<_> = self.faults.iter().map(|code| self.code_label.spell(code)).collect();
        labels.join("|")
    }
}

impl Monitoring {
    /// Sets labels of Prometheus's targets that distinguish deployments, in addition to `job`: for example the
    /// namespace or the cluster. Replaces labels set before.
    ///
    /// Rules, rule tests and alerts, Alertmanager's grouping and inhibition, and the dashboard treat deployments that
    /// differ in one of these labels separately. The dashboard has a variable for each label, in this order.
    ///
    /// Without them, two deployments with the same job are monitored as one: successes of one hide failures of the
    /// other, and while one is up, no alert says that the other is down.
    ///
    /// ```
    /// # fn main() -> Result<(), grpc_metrics_runtime::Error> {
    /// # let metrics = grpc_metrics_runtime::GrpcMetrics::builder()
    /// #     .registry(&grpc_metrics_runtime::prometheus::Registry::new())
    /// #     .build()?;
    /// let monitoring = metrics.monitoring().target_labels(["namespace", "cluster"])?;
    /// assert!(monitoring.rules().contains("sum by (job, namespace, cluster, service, method, slo)"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Set them on the targets in Prometheus, by service discovery, relabeling or `static_configs`, so that `up` has
    /// them, too. Targets without a label form a deployment of their own.
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidTargetLabel`] for the first label that has an invalid name, is given twice, is a label
    /// of the metrics, also one of [`Naming::Default`](crate::Naming::Default), of the alerts or of the dashboard's
    /// topology, is a variable of the dashboard, or is a constant label of the metrics.
    pub fn target_labels(
        mut self,
        labels: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, Error> {
        let labels = labels.into_iter().map(Into::into).collect();
        self.labels = TargetLabels::new(labels, &self.metrics.schema)?;
        Ok(self)
    }

    /// Returns recording rules and alerts for Prometheus. They read the objectives from the metrics, so they stay valid
    /// when an objective changes.
    pub fn rules(&self) -> String {
        rules::rules(&self.metrics, &self.labels)
    }

    /// Returns tests of the rules for `promtool test rules`. They load the rules from `rules.yml` in the same
    /// directory.
    pub fn rule_tests(&self) -> String {
        rules::rule_tests(&self.metrics, &self.labels)
    }

    /// Returns a Grafana dashboard, to import or to provision. It does not need the rules.
    pub fn dashboard(&self) -> String {
        dashboard::dashboard(&self.metrics, &self.labels)
    }

    /// Returns the configuration of a Prometheus that scrapes `targets`, each `host:port`, as `job`. It loads the rules
    /// from `rules.yml` in the same directory, and sends alerts to the Alertmanager at `alertmanager`, `host:port`. If the
    /// metrics have native histograms, it keeps the classic ones beside them, for which Prometheus has to be 2.45 or
    /// later.
    pub fn prometheus_config(&self, job: &str, targets: &[&str], alertmanager: &str) -> String {
        config::prometheus(&self.metrics, &self.labels, job, targets, alertmanager)
    }

    /// Returns the configuration of an Alertmanager that posts pages and tickets to these webhook URLs. Without a URL,
    /// they appear only in its web interface.
    pub fn alertmanager_config(&self, page: Option<&str>, ticket: Option<&str>) -> String {
        config::alertmanager(&self.metrics, &self.labels, page, ticket)
    }

    /// Returns all files of a directory in which `docker-compose up` starts Prometheus, Alertmanager, Grafana and
    /// Jaeger.
    ///
    /// `job` and `targets` are those of [`prometheus_config`](Monitoring::prometheus_config). Containers reach this
    /// machine as `host.docker.internal`.
    pub fn files(&self, job: &str, targets: &[&str]) -> Vec<File> {
        stack::files(self, job, targets)
    }
}

#[cfg(fuzzing)]
pub use self::queries::query_tokens;

/// Translates a text into the names of these metrics, in each way.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn translated(monitoring: &Monitoring, text: &str) -> Vec<String> {
    monitoring.metrics.vocabulary.translated(text)
}
