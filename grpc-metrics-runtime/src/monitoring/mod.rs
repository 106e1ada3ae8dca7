//! Rules, alerts and configuration for the metrics of a [`GrpcMetrics`], as text to write to files.

mod config;
mod dashboard;
mod rules;
mod stack;
mod target_labels;
mod template;

use std::sync::Arc;

use self::target_labels::TargetLabels;
use crate::export::Schema;
use crate::grpc::CodeSet;
use crate::instance::Settings;
use crate::{CodeLabel, Error, GrpcMetrics};

/// See [`GrpcMetrics::monitoring`].
#[derive(Clone, Debug)]
pub struct Monitoring {
    metrics: Metrics,
    labels: TargetLabels,
}

/// The metrics that all of it is about.
#[derive(Clone, Debug)]
struct Metrics {
    prefix: String,
    schema: Arc<Schema>,
    /// The codes that report a fault of the server, and how the metrics spell them.
    faults: CodeSet,
    code_label: CodeLabel,
}

/// One of [`Monitoring::files`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct File {
    /// Relative to the directory of them all, with `/`.
    pub path: &'static str,
    /// What stands in it.
    pub text: String,
}

impl GrpcMetrics {
    /// What watches these metrics: Prometheus's rules and more, for the prefix and the codes that are set.
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
    /// A prefix that the registry adds by itself, as [`Registry::new_custom`] can, is not known here.
    ///
    /// [`Registry::new_custom`]: crate::prometheus::Registry::new_custom
    pub fn monitoring(&self) -> Monitoring {
        let metrics = Metrics::of(self.instance().settings(), Arc::clone(self.schema()));
        Monitoring { metrics, labels: TargetLabels::default() }
    }
}

impl Metrics {
    fn of(settings: &Settings, schema: Arc<Schema>) -> Self {
        Self {
            prefix: settings.prefix.clone(),
            schema,
            faults: settings.fault_codes,
            code_label: settings.code_label,
        }
    }
}

impl Monitoring {
    /// Labels of Prometheus's targets that tell one deployment from another, as `job` does: the namespace, the
    /// cluster. All that is here keeps apart what differs in one of them: rules and their tests, alerts, what
    /// Alertmanager groups and keeps back, and the dashboard, which has a variable for each, in this order.
    ///
    /// Without them, two deployments with one job are one: what one serves well hides what the other fails, and
    /// while one is up the other is not missed. They replace those given before.
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
    /// Prometheus gives them to targets, by service discovery, relabeling or `static_configs`, so that `up` has
    /// them too. A target that lacks one is a deployment of its own.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidTargetLabel`] for the first label that has an illegal name, is given twice, is one that the
    /// metrics, the alerts or the dashboard have themselves, or is a constant label of the metrics.
    pub fn target_labels(
        mut self,
        labels: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, Error> {
        let labels = labels.into_iter().map(Into::into).collect();
        self.labels = TargetLabels::checked(labels, self.metrics.schema.const_labels())?;
        Ok(self)
    }

    /// Recording rules and alerts for Prometheus. They read the objectives from the metrics, so they stay
    /// as they are when an objective changes.
    pub fn rules(&self) -> String {
        rules::rules(&self.metrics, &self.labels)
    }

    /// Tests of the rules for `promtool test rules`, which look for them in `rules.yml` beside them.
    pub fn rule_tests(&self) -> String {
        rules::rule_tests(&self.metrics, &self.labels)
    }

    /// A dashboard for Grafana, to import or to provision. It does not need the rules.
    pub fn dashboard(&self) -> String {
        dashboard::dashboard(&self.metrics, &self.labels)
    }

    /// Configuration of a Prometheus that scrapes `targets`, each `host:port`, under the name `job`, has the
    /// rules in `rules.yml` beside it, and sends alerts to the Alertmanager at `alertmanager`, `host:port`.
    pub fn prometheus_config(&self, job: &str, targets: &[&str], alertmanager: &str) -> String {
        config::prometheus(&self.labels, job, targets, alertmanager)
    }

    /// Configuration of an Alertmanager that posts pages and tickets to these URLs. Without a URL they show in
    /// its web interface only.
    pub fn alertmanager_config(&self, page: Option<&str>, ticket: Option<&str>) -> String {
        config::alertmanager(&self.labels, page, ticket)
    }

    /// All there is, as a directory from which `docker-compose up` starts Prometheus, Alertmanager, Grafana
    /// and Jaeger, for a job and its targets as in [`prometheus_config`](Monitoring::prometheus_config).
    /// From the containers, this machine is `host.docker.internal`.
    pub fn files(&self, job: &str, targets: &[&str]) -> Vec<File> {
        stack::files(self, job, targets)
    }
}
