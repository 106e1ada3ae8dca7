//! The real Prometheus scrapes Nova's six processes under faults, and has data for every query.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::SystemTime;

use serde_json::Value;
use support::nova::Nova;
use support::prometheus::{JOB, Prometheus};
use support::wait::block_until;

use super::queries::{ALL, Query, Variables, list, queries, text, variable_queries};
use crate::prometheus::label;

/// The scrape interval of the test is a second. Grafana would take four of them at least.
pub(crate) const NOW: Variables = Variables { rate_interval: "10s", range: "30s", ..ALL };
/// As Grafana puts in what was chosen: as a regular expression, escaped for it and for the query.
pub(crate) const CHOSEN: Variables = Variables {
    job: JOB,
    // Two that call, and one that is called.
    service: r"nova\\.messaging\\.v1\\.MessagingService|nova\\.feed\\.v1\\.FeedService|nova\\.user\\.v1\\.UserService",
    ..NOW
};

/// Who calls whom.
const ARROWS: [[&str; 2]; 6] = [
    ["nova.content.v1.ContentService", "nova.user.v1.UserService"],
    ["nova.feed.v1.FeedService", "nova.content.v1.ContentService"],
    ["nova.feed.v1.FeedService", "nova.user.v1.UserService"],
    ["nova.messaging.v1.MessagingService", "nova.auth.v1.AuthService"],
    ["nova.messaging.v1.MessagingService", "nova.user.v1.UserService"],
    ["nova.streaming.v1.StreamingService", "nova.auth.v1.AuthService"],
];

/// All values of a query over the last so many seconds: for each series, its labels and values.
pub(crate) fn over(server: &str, seconds: u64, query: &str) -> Vec<(Value, Vec<f64>)> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let output = Command::new("promtool")
        .args(["query", "--format=json", "range", "--step=1s"])
        .args([format!("--start={}", now - seconds), format!("--end={now}")])
        .args([server, query])
        .output()
        .unwrap();
    assert!(output.status.success(), "{query}: {}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let series = list(&answer).iter().map(|series| {
        let values = list(&series["values"]).iter();
        let values = values.map(|at_value| text(&at_value[1]).parse().unwrap());
        (series["metric"].clone(), values.collect())
    });
    series.collect()
}

fn assert_has_data(prometheus: &Prometheus, query: &Query, variables: &Variables) {
    let name = query.name();
    let expr = variables.put_into(&query.expr);
    let now = prometheus.query(&expr);
    assert!(!now.is_empty(), "{name}: no data: {expr}");
    assert!(now.iter().all(|(_, value)| value.is_finite()), "{name}: {now:?}");

    let series = over(&prometheus.url, 5, &expr);
    assert_as_chosen(query, variables, &series);
    // Any instant of the last seconds has a value.
    assert!(series.iter().any(|(_, values)| values.len() == 6), "{name}: gaps: {series:?}");
}

/// All values are finite, and of services that were chosen.
pub(crate) fn assert_as_chosen(query: &Query, variables: &Variables, series: &[(Value, Vec<f64>)]) {
    let name = query.name();
    assert!(series.iter().all(|(_, values)| values.iter().all(|v| v.is_finite())), "{name}");
    for (labels, _) in series {
        // The topology is that of all services.
        if !query.expr.contains("$service") {
            continue;
        }
        // As each naming has it.
        let names = ["service", "grpc_service", "rpc_service"];
        let Some(service) = names.iter().find_map(|name| labels[name].as_str()) else { continue };
        let service = service.replace('.', r"\\.");
        let chosen = variables.service == ALL.service
            || variables.service.split('|').any(|one| one == service);
        assert!(chosen, "{name}: {service} was not chosen");
    }
}

/// The arrows of the topology, each from a process to another.
fn arrows(prometheus: &Prometheus) -> BTreeSet<[String; 2]> {
    let queries = queries();
    let edges = queries.iter().find(|query| query.name() == "Topology E").expect("edges");
    let arrows = prometheus.query(&NOW.put_into(&edges.expr));
    let ends = arrows.iter().map(|(labels, _)| ["source", "target"].map(|end| label(labels, end)));
    ends.collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the prometheus and promtool programs"]
async fn h8_every_query_has_data_when_prometheus_scrapes_novas_six_processes() {
    let nova = Nova::start(&["--processes", "--fault-rate", "0.02"]);
    let prometheus = Prometheus::start_with(env!("CARGO_TARGET_TMPDIR"), &nova.metrics, "");
    // By then every method of Nova has been called, and streams have been opened.
    let uncalled = "count(sum by (service, method) (grpc_server_requests_total{service=~\"nova.+\"}) == 0) or vector(0)";
    let none = |counts: &Vec<(String, f64)>| counts.first().is_some_and(|(_, count)| *count == 0.0);
    block_until(|| prometheus.query(uncalled), none);
    for (selector, label) in variable_queries() {
        let values = prometheus.query(&NOW.put_into(&format!("group by ({label}) ({selector})")));
        assert!(!values.is_empty(), "no {label} to choose");
    }
    // So many seconds are in the rates, and then no instant of the last few lacks one.
    let ten_seconds = "min(count_over_time(up[12s])) >= 10";
    block_until(|| prometheus.query(ten_seconds), |there| !there.is_empty());
    assert_eq!(arrows(&prometheus), ARROWS.map(|ends| ends.map(str::to_owned)).into());
    for query in queries() {
        assert_has_data(&prometheus, &query, &NOW);
        assert_has_data(&prometheus, &query, &CHOSEN);
    }
    assert_eq!(nova.interrupt(), Some(0));
}
