//! The files of a stack of Prometheus, Alertmanager, Grafana and Jaeger.

use super::template::fill;
use super::{File, Monitoring};

const COMPOSE: &str = include_str!("templates/stack/docker-compose.yml");
const DATA_SOURCE_PROMETHEUS: &str = include_str!("templates/stack/grafana_prometheus.yml");
const DATA_SOURCE_JAEGER: &str = include_str!("templates/stack/grafana_jaeger.yml");
const DASHBOARDS: &str = include_str!("templates/stack/grafana_dashboards.yml");

/// The address in the compose file's network.
const ALERTMANAGER: &str = "alertmanager:9093";

pub(super) fn files(monitoring: &Monitoring, job: &str, targets: &[&str]) -> Vec<File> {
    let native = if monitoring.metrics.has_native { ",native-histograms" } else { "" };
    let file = |path, text| File { path, text };
    vec![
        file("docker-compose.yml", fill(COMPOSE, &[("native", native)])),
        file("prometheus/prometheus.yml", monitoring.prometheus_config(job, targets, ALERTMANAGER)),
        file("prometheus/rules.yml", monitoring.rules()),
        file("prometheus/rules_test.yml", monitoring.rule_tests()),
        file("alertmanager/alertmanager.yml", monitoring.alertmanager_config(None, None)),
        file("grafana/provisioning/datasources/jaeger.yml", DATA_SOURCE_JAEGER.to_owned()),
        file("grafana/provisioning/datasources/prometheus.yml", DATA_SOURCE_PROMETHEUS.to_owned()),
        file("grafana/provisioning/dashboards/grpc.yml", DASHBOARDS.to_owned()),
        file("grafana/dashboards/grpc.json", monitoring.dashboard()),
    ]
}
