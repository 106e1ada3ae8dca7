//! Contract, H6: the dashboard with labels of targets that tell deployments apart.

use std::collections::BTreeSet;

use grpc_metrics_runtime::GrpcMetrics;
use grpc_metrics_runtime::prometheus::Registry;
use serde_json::Value;
use support::promql::{Known, parsed};

use super::answers::{Answers, Series, check_of};
use super::dashboard;
use super::queries::{ALL, list, panels_of, queries_of, text, variable_queries_of};
use crate::service;

const LABELS: [&str; 2] = ["namespace", "cluster"];

/// Text that is JSON, for metrics with this prefix.
fn text_of(prefix: &str, labels: &[&str]) -> String {
    let metrics = GrpcMetrics::builder().registry(&Registry::new()).prefix(prefix).build().unwrap();
    metrics.monitoring().target_labels(labels.iter().copied()).unwrap().dashboard()
}

fn apart() -> Value {
    serde_json::from_str(&text_of("grpc_server", &LABELS)).expect("no JSON")
}

#[test]
fn h6_each_label_has_a_variable_that_those_before_it_narrow() {
    let dashboard = apart();
    let variables = list(&dashboard["templating"]["list"]);
    let names: Vec<_> = variables.iter().map(|variable| text(&variable["name"])).collect();
    assert_eq!(names, ["datasource", "job", "namespace", "cluster", "service", "method"]);
    let mut before: Vec<&String> = Vec::new();
    for (name, (selector, label)) in names[1..].iter().zip(variable_queries_of(&dashboard)) {
        assert_eq!(*name, label);
        let mut chosen: Vec<_> = before.iter().map(|name| format!("{name}=~\"${name}\"")).collect();
        let mut metric = "grpc_server_method_info";
        if ["service", "method"].contains(&name.as_str()) {
            // H7: a service without an attribute has this one alone, and so have other paths.
            metric = "grpc_server_in_flight_requests";
            chosen.push("service!=\"other\"".to_owned());
        }
        let of =
            if chosen.is_empty() { String::new() } else { format!("{{{}}}", chosen.join(", ")) };
        assert_eq!(selector, format!("{metric}{of}"));
        before.push(name);
    }
    // They are as the others are, but that "All" takes targets without the label too.
    let job = &variables[1];
    for variable in &variables[2..4] {
        assert_eq!(variable["allValue"], ".*");
        for key in
            ["type", "datasource", "multi", "includeAll", "current", "refresh", "sort", "hide"]
        {
            assert_eq!(variable[key], job[key], "{key}");
        }
        assert_eq!(variable["query"]["refId"], job["query"]["refId"]);
    }
}

#[tokio::test]
async fn h6_every_panel_keeps_deployments_apart() {
    let mut known = Known::of(&service::after_traffic("grpc_server").await);
    known.add_target_labels(&LABELS);
    let (before, dashboard) = (queries_of(&dashboard()), apart());
    let queries = queries_of(&dashboard);
    assert_eq!(before.len(), queries.len());
    for (before, query) in before.iter().zip(&queries) {
        let name = query.name();
        let expr = parsed(&ALL.put_into(&query.expr));
        known.check_all(&expr);
        // What is chosen holds wherever a job is.
        let jobs = query.expr.matches("job=~\"$job\"").count();
        let chosen = "job=~\"$job\", namespace=~\"$namespace\", cluster=~\"$cluster\"";
        assert_eq!(query.expr.matches(chosen).count(), jobs, "{name}");
        // What is of a service, or of a job, is of a deployment.
        let lists = query.expr.match_indices('(').map(|(at, _)| &query.expr[at + 1..]);
        let lists = lists.filter(|list| list.starts_with("job, ") || list.starts_with("service"));
        assert!(lists.clone().all(|list| list.starts_with("job, namespace, cluster, ")), "{name}");
        let labels = known.labels(&expr).unwrap_or_default();
        assert_eq!(labels.contains("service"), labels.contains("namespace"), "{name}");
        assert_eq!(labels.contains("service"), labels.contains("cluster"), "{name}");
        assert_eq!(
            query.legend,
            before.legend.replace("{{service}}", "{{namespace}} {{cluster}} {{service}}"),
            "{name}"
        );
    }
}

/// Names by their places, which are those from 0 on.
fn in_order(table: &Value) -> Vec<String> {
    let places = table["indexByName"].as_object().unwrap();
    let mut places: Vec<_> =
        places.iter().map(|(name, place)| (place.as_u64().unwrap(), name.clone())).collect();
    places.sort();
    assert!(places.iter().map(|(place, _)| *place).eq(0..places.len() as u64), "{places:?}");
    places.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn h6_tables_have_a_column_for_each_label_in_front() {
    let (before, after) = (dashboard(), apart());
    let tables = |dashboard: &Value| -> Vec<Value> {
        let tables = panels_of(dashboard).into_iter().filter(|panel| panel["type"] == "table");
        let organize = tables.map(|table| {
            let transformations = list(&table["transformations"]).iter();
            let mut organize = transformations.filter(|one| one["id"] == "organize");
            organize.next().unwrap()["options"].clone()
        });
        organize.collect()
    };
    let (before, after) = (tables(&before), tables(&after));
    assert_eq!((before.len(), after.len()), (2, 2));
    for (before, after) in before.iter().zip(&after) {
        let columns = [LABELS.map(str::to_owned).to_vec(), in_order(before)].concat();
        assert_eq!(in_order(after), columns);
        let names = after["renameByName"].as_object().unwrap();
        assert_eq!(names.keys().collect::<BTreeSet<_>>(), columns.iter().collect());
        let kept = before["renameByName"].as_object().unwrap();
        assert!(kept.iter().all(|(column, name)| names[column] == *name));
    }
}

#[test]
fn h6_without_labels_the_dashboard_is_as_it_was() {
    assert_eq!(text_of("grpc_server", &[]), super::DASHBOARD);
}

/// Neither takes the other for a part of itself.
#[test]
fn h6_a_label_may_hold_a_prefix() {
    let text = text_of("shop:grpc", &["grpc_server_zone"]);
    let variable = "label_values(shop:grpc_method_info{job=~\\\"$job\\\"}, grpc_server_zone)";
    assert!(text.contains(variable), "{text}");
    let of_labels = text.matches("grpc_server_zone").count();
    assert_eq!(text.matches("grpc_server").count(), of_labels);
}

/// A deployment that serves well, and one that fails each RPC and is called a hundredth as often, under one job
/// and address.
const TWO_NAMESPACES: &[Series] = &[
    ("requests_total", r#"namespace="p",instance="a",method="Get",code="0""#, "0+1500x40"),
    ("requests_total", r#"namespace="s",instance="a",method="Get",code="13""#, "0+15x40"),
    (
        "request_duration_seconds_bucket",
        r#"namespace="p",instance="a",method="Get",le="1""#,
        "0+1500x40",
    ),
    (
        "request_duration_seconds_bucket",
        r#"namespace="p",instance="a",method="Get",le="+Inf""#,
        "0+1500x40",
    ),
    (
        "request_duration_seconds_bucket",
        r#"namespace="s",instance="a",method="Get",le="1""#,
        "0x40",
    ),
    (
        "request_duration_seconds_bucket",
        r#"namespace="s",instance="a",method="Get",le="+Inf""#,
        "0+15x40",
    ),
    ("in_flight_requests", r#"namespace="p",instance="a",method="Get""#, "1x40"),
    ("in_flight_requests", r#"namespace="s",instance="a",method="Get""#, "2x40"),
    ("method_info", r#"namespace="p",instance="a",method="Get",type="unary""#, "1x40"),
    // A later version there, which answers with a stream.
    ("method_info", r#"namespace="s",instance="a",method="Get",type="server_stream""#, "1x40"),
    (
        "slo_objective_ratio",
        r#"namespace="p",instance="a",method="Get",slo="availability""#,
        "0.5x40",
    ),
    (
        "slo_events_total",
        r#"namespace="p",instance="a",method="Get",slo="availability""#,
        "0+1500x40",
    ),
    (
        "slo_bad_events_total",
        r#"namespace="p",instance="a",method="Get",slo="availability""#,
        "0x40",
    ),
    (
        "slo_objective_ratio",
        r#"namespace="s",instance="a",method="Get",slo="availability""#,
        "0.75x40",
    ),
    (
        "slo_events_total",
        r#"namespace="s",instance="a",method="Get",slo="availability""#,
        "0+15x40",
    ),
    (
        "slo_bad_events_total",
        r#"namespace="s",instance="a",method="Get",slo="availability""#,
        "0+15x40",
    ),
    (
        "grpc_client_edge_requests_total",
        r#"namespace="s",instance="a",caller_service="front",caller_method="Get",service="s",method="Get",code="0""#,
        "0+30x40",
    ),
];

const OF_TWO_NAMESPACES: &[Answers] = &[
    ("Requests A", &[("{}", 101.0)]),
    ("P95 duration A", &[("{}", 0.95)]),
    ("Lowest budget left A", &[("{}", -3.0)]),
    ("Instances A", &[("{}", 2.0)]),
    (
        "Error budget left A",
        &[
            (r#"{namespace="p", service="s", slo="availability"}"#, 1.0),
            (r#"{namespace="s", service="s", slo="availability"}"#, -3.0),
        ],
    ),
    (
        "Objectives by method A",
        &[
            (r#"{namespace="p", service="s", method="Get", slo="availability"}"#, 0.5),
            (r#"{namespace="s", service="s", method="Get", slo="availability"}"#, 0.75),
        ],
    ),
    (
        "Objectives by method B",
        &[
            (r#"{namespace="p", service="s", method="Get", slo="availability"}"#, 1.0),
            (r#"{namespace="s", service="s", method="Get", slo="availability"}"#, 0.0),
        ],
    ),
    (
        "Requests by service A",
        &[(r#"{namespace="p", service="s"}"#, 100.0), (r#"{namespace="s", service="s"}"#, 1.0)],
    ),
    ("Open streams A", &[(r#"{namespace="s", service="s", method="Get"}"#, 2.0)]),
    (
        "Methods now E",
        &[
            (r#"{namespace="p", service="s", method="Get"}"#, 1.0),
            (r#"{namespace="s", service="s", method="Get"}"#, 2.0),
        ],
    ),
    // The cluster is empty.
    (
        "Topology A",
        &[
            (r#"{namespace="p", service="s", id="p  s", title="p  s"}"#, 100.0),
            (r#"{namespace="s", service="s", id="s  s", title="s  s"}"#, 1.0),
            (r#"{namespace="s", service="front", id="s  front", title="s  front"}"#, 0.0),
        ],
    ),
    (
        "Topology E",
        &[(
            r#"{namespace="s", caller_service="front", service="s", id="s  front s", source="s  front", target="s  s"}"#,
            2.0,
        )],
    ),
];

#[test]
#[ignore = "needs the promtool program"]
fn h6_deployments_under_one_job_stand_beside_each_other() {
    // "All" of a label that no target has hides none.
    check_of(&apart(), "two_namespaces", TWO_NAMESPACES, OF_TWO_NAMESPACES);
}
