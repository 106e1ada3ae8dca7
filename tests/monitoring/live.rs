//! The real Prometheus scrapes Nova's six processes under faults and a service whose clients call in every way, and every
//! rule has data.

use std::collections::BTreeMap;

use serde_json::Value;
use support::nova::Nova;
use support::prometheus::{JOB, Prometheus};
use support::promql::{name, parsed, selectors, spelled_out};
use support::wait::block_until;

use crate::monitoring;
use crate::relay;
use crate::rules::{Rule, rules};

/// By name, what Prometheus says of each rule. A recording rule is evaluated under one name each.
pub(crate) fn said(prometheus: &Prometheus) -> BTreeMap<String, Value> {
    let answer: Value = serde_json::from_str(&prometheus.get("/api/v1/rules", &[])).unwrap();
    let groups = answer["data"]["groups"].as_array().unwrap();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
    rules.map(|rule| (rule["name"].as_str().unwrap().to_owned(), rule.clone())).collect()
}

/// What the rule reads is there, each value of a label by itself.
fn assert_reads_what_there_is(prometheus: &Prometheus, rule: &Rule) {
    for selector in selectors(&parsed(&rule.expr)) {
        let metric = name(&selector);
        assert!(!prometheus.query(metric).is_empty(), "{}: {metric}", rule.name);
        for matcher in &selector.matchers.matchers {
            for value in spelled_out(matcher) {
                let one = format!("{metric}{{{}={value:?}}}", matcher.name);
                assert!(!prometheus.query(&one).is_empty(), "{}: {one}", rule.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the prometheus and promtool programs"]
async fn every_rule_has_data_when_prometheus_scrapes_nova() {
    let text = monitoring("grpc_server").rules();
    let rules = rules(&text);
    let nova = Nova::start(&["--processes", "--fault-rate", "0.3"]);
    let relay = relay::keep_calling().await;
    let targets = [nova.metrics.as_slice(), &[relay]].concat();
    let prometheus = Prometheus::start_with(env!("CARGO_TARGET_TMPDIR"), &targets, &text);

    for rule in rules.iter().filter(|rule| rule.is_recorded) {
        // The long windows wait for the next minute.
        let recorded = block_until(|| prometheus.query(&rule.name), |found| !found.is_empty());
        assert!(recorded.iter().all(|(_, value)| value.is_finite()), "{}", rule.name);
        for label in ["job", "service", "method", "slo"] {
            let is_by = rule.name.contains(":method_") || label != "method";
            if is_by && rule.name.contains("_slo_") {
                let without = format!("{}{{{label}=\"\"}}", rule.name);
                assert!(prometheus.query(&without).is_empty(), "{without}");
            }
        }
    }
    for rule in &rules {
        assert_reads_what_there_is(&prometheus, rule);
    }
    // Three of ten operations of the store fail, and no objective is that loose.
    for alert in [
        "GrpcServiceBudgetBurnsFast",
        "GrpcMethodBudgetBurnsFast",
        "GrpcServiceBudgetBurnsSlowly",
        "GrpcMethodBudgetBurnsSlowly",
    ] {
        let firing = format!("ALERTS{{alertname={alert:?}, alertstate=\"firing\", job={JOB:?}}}");
        block_until(|| prometheus.query(&firing), |firing| !firing.is_empty());
    }

    assert_eq!(nova.interrupt(), Some(0));
    let gone = "ALERTS{alertname=\"GrpcServiceGone\", alertstate=\"pending\"}";
    let services = block_until(|| prometheus.query(gone), |gone| !gone.is_empty());
    assert_eq!(services.len(), 6, "{services:?}");

    let said = said(&prometheus);
    assert_eq!(said.len(), rules.len());
    for rule in &rules {
        let said = &said[&rule.name];
        assert_eq!(said["health"], "ok", "{said}");
        assert!(said["lastError"].is_null(), "{said}");
    }
}
