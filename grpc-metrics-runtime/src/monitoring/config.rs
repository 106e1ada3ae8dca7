//! Configuration of Prometheus and Alertmanager.

use super::template::{fill, quoted};

const PROMETHEUS: &str = include_str!("templates/stack/prometheus.yml");
const ALERTMANAGER: &str = include_str!("templates/stack/alertmanager.yml");

pub(super) fn prometheus(job: &str, targets: &[&str], alertmanager: &str) -> String {
    let targets: Vec<String> = targets.iter().map(|target| quoted(target)).collect();
    let values = [
        ("job", quoted(job)),
        ("targets", targets.join(", ")),
        ("alertmanager", quoted(alertmanager)),
    ];
    fill(PROMETHEUS, &values.each_ref().map(|(name, value)| (*name, value.as_str())))
}

pub(super) fn alertmanager(page: Option<&str>, ticket: Option<&str>) -> String {
    let webhook = |url: Option<&str>| {
        url.map(|url| format!("\n    webhook_configs:\n      - url: {}", quoted(url)))
            .unwrap_or_default()
    };
    fill(ALERTMANAGER, &[("page", &webhook(page)), ("ticket", &webhook(ticket))])
}
