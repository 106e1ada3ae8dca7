//! A directory of files that start Prometheus, Alertmanager and Grafana together.

use super::{File, Monitoring};

const COMPOSE: &str = include_str!("templates/stack/docker-compose.yml");
const DATASOURCE: &str = include_str!("templates/stack/grafana_datasource.yml");
const DASHBOARDS: &str = include_str!("templates/stack/grafana_dashboards.yml");

/// As the compose file names it.
const ALERTMANAGER: &str = "alertmanager:9093";

pub(super) fn files(monitoring: &Monitoring, job: &str, targets: &[&str]) -> Vec<File> {
    let file = |path, text| File { path, text };
    vec![
        file("docker-compose.yml", COMPOSE.to_owned()),
        file("prometheus/prometheus.yml", monitoring.prometheus_config(job, targets, ALERTMANAGER)),
        file("prometheus/rules.yml", monitoring.rules()),
        file("prometheus/rules_test.yml", monitoring.rule_tests()),
        file("alertmanager/alertmanager.yml", monitoring.alertmanager_config(None, None)),
        file("grafana/provisioning/datasources/prometheus.yml", DATASOURCE.to_owned()),
        file("grafana/provisioning/dashboards/grpc.yml", DASHBOARDS.to_owned()),
        file("grafana/dashboards/grpc.json", monitoring.dashboard()),
    ]
}
