//! The configuration of Prometheus and Alertmanager.

use super::Metrics;
use super::target_labels::TargetLabels;
use super::template::{fill, quoted};

const PROMETHEUS: &str = include_str!("templates/stack/prometheus.yml");
const ALERTMANAGER: &str = include_str!("templates/stack/alertmanager.yml");

/// Keeps what the queries read.
const CLASSIC: &str = "
    # Beside native histograms, rules and dashboard need the classic ones. From version 3.0 on, this is called
    # always_scrape_classic_histograms.
    scrape_classic_histograms: true";

pub(super) fn prometheus(
    metrics: &Metrics,
    labels: &TargetLabels,
    job: &str,
    targets: &[&str],
    alertmanager: &str,
) -> String {
    let targets: Vec<String> = targets.iter().map(|target| quoted(target)).collect();
    let values = [
        ("job", quoted(job)),
        ("service", metrics.vocabulary.label("service").to_owned()),
        ("targets", targets.join(", ")),
        ("alertmanager", quoted(alertmanager)),
        ("labels", target_labels_hint(labels)),
        ("classic", if metrics.has_native { CLASSIC.to_owned() } else { String::new() }),
    ];
    fill(PROMETHEUS, &values.each_ref().map(|(name, value)| (*name, value.as_str())))
}

/// Returns a comment that asks for the target labels, whose values are unknown here.
fn target_labels_hint(labels: &TargetLabels) -> String {
    let all: Vec<_> = labels.iter().map(|label| format!("{label}: ...")).collect();
    if all.is_empty() {
        return String::new();
    }
    let how =
        "# Set these labels on the targets: here, or by service discovery and relabel_configs.";
    format!("\n        {how}\n        # labels: {{{}}}", all.join(", "))
}

pub(super) fn alertmanager(
    metrics: &Metrics,
    labels: &TargetLabels,
    page: Option<&str>,
    ticket: Option<&str>,
) -> String {
    let webhook = |url: Option<&str>| {
        url.map(|url| format!("\n    webhook_configs:\n      - url: {}", quoted(url)))
            .unwrap_or_default()
    };
    let values = [
        ("identity", labels.identity_yaml()),
        ("page", webhook(page)),
        ("ticket", webhook(ticket)),
    ];
    let config =
        fill(ALERTMANAGER, &values.each_ref().map(|(name, value)| (*name, value.as_str())));
    metrics.vocabulary.alertmanager(&config)
}
