//! The rules name what a scrape shows or a rule records, and nothing else.

use std::collections::BTreeSet;

use support::promql::{Known, name, parsed, selectors};

use crate::rules::{Rule, rules};
use crate::service;
use crate::{LABELS, monitoring};

/// The labels that a text of an annotation puts in.
fn labels(text: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let named = text.split("$labels.").skip(1);
    named.map(|rest| rest.split(|c| !is_part(c)).next().unwrap()).collect()
}

/// Returns the metrics that the rules read. All that they name has to be known, or recorded by one before.
pub(crate) fn read_by(rules: &[Rule], known: &mut Known) -> BTreeSet<String> {
    let (recorded, alerts): (Vec<&Rule>, Vec<&Rule>) =
        rules.iter().partition(|rule| rule.is_recorded);
    assert!(recorded.len() > 50 && alerts.len() == 10, "{rules:#?}");
    let mut raw = BTreeSet::new();
    // In their order: none reads what is recorded after it.
    for rule in recorded.iter().chain(&alerts) {
        let expr = parsed(&rule.expr);
        known.check_all(&expr);
        let given = known.labels(&expr).unwrap();
        raw.extend(selectors(&expr).iter().map(|selector| name(selector).to_owned()));
        if rule.is_recorded {
            known.add(&rule.name, given);
        } else {
            let told = labels(&rule.rest);
            assert!(!told.is_empty(), "{}", rule.name);
            for label in told {
                assert!(given.contains(label), "{} has no {label}: {given:?}", rule.name);
            }
        }
    }
    raw
}

#[tokio::test]
async fn every_name_in_the_rules_is_in_a_scrape_or_recorded() {
    for (prefix, target_labels) in [("grpc_server", &[][..]), ("shop:grpc", &LABELS)] {
        let mut known = Known::of(&service::after_traffic(prefix).await);
        known.add_target_labels(target_labels);
        let monitoring = monitoring(prefix).target_labels(target_labels.iter().copied()).unwrap();
        let text = monitoring.rules();
        let rules = rules(&text);
        let raw = read_by(&rules, &mut known);
        let raw = raw.iter().filter(|metric| metric.starts_with(&format!("{prefix}_"))).count();
        assert!(raw >= 6, "{raw}");
        assert!(prefix == "grpc_server" || !text.contains("grpc_server"));
    }
}

/// An alert that keeps others back, or is kept back, is one that there is.
#[test]
fn alertmanager_knows_the_alerts() {
    let monitoring = monitoring("grpc_server");
    let text = monitoring.rules();
    let rules = rules(&text);
    let config = monitoring.alertmanager_config(None, None);
    let matchers = config.split("alertname=").skip(1);
    let values = matchers.map(|rest| rest.trim_start_matches('~').split('"').nth(1).unwrap());
    let named: BTreeSet<&str> = values.flat_map(|value| value.split('|')).collect();
    assert!(named.len() >= 7, "{named:?}");
    for alert in named {
        assert!(rules.iter().any(|rule| !rule.is_recorded && rule.name == alert), "{alert}");
    }
}
