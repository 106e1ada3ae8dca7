//! What the queries answer over series that are made up, as Prometheus itself works it out: with several
//! instances, while nothing happens, and with other settings. Needs `promtool`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{CodeLabel, GrpcMetrics, GrpcMetricsBuilder};
use serde_json::Value;
use tonic::Code;

use super::dashboard;
use super::namings::{DEFAULT, Names, OTHERS};
use super::queries::{ALL, Query, queries, queries_of};

/// A series: metric, its labels beside job and service, its values in promtool's notation. A metric without a prefix is
/// the server's. A service among the labels takes the place of the usual one.
pub(crate) type Series<'a> = (&'a str, &'a str, &'a str);
/// What a query answers: panel and reference, then labels and value of each sample, to three digits.
pub(crate) type Answers<'a> = (&'a str, &'a [(&'a str, f64)]);

/// Two instances, in the middle of a rollout, over ten minutes. "0+15x40" is 1 a second.
///
/// `Get` is unary: 2 a second on `a`, all in 100 ms; 2 on `b`, half of which fail, all in a second.
/// `Watch` answers with a stream: 4 a second on `a`, each of minutes.
/// `Old` has lost its objective, not yet its counters.
const TWO_INSTANCES: &[Series] = &[
    ("requests_total", r#"instance="a",method="Get",code="0""#, "0+30x40"),
    ("requests_total", r#"instance="a",method="Get",code="13""#, "0x40"),
    ("requests_total", r#"instance="b",method="Get",code="0""#, "0+15x40"),
    ("requests_total", r#"instance="b",method="Get",code="13""#, "0+15x40"),
    ("requests_total", r#"instance="a",method="Watch",code="0""#, "0+60x40"),
    ("requests_total", r#"instance="a",method="Watch",code="13""#, "0x40"),
    ("requests_total", r#"instance="b",method="Watch",code="0""#, "0x40"),
    ("requests_total", r#"instance="b",method="Watch",code="13""#, "0x40"),
    ("errors_total", r#"instance="b",method="Get",code="13",error="db""#, "0+15x40"),
    ("request_duration_seconds_bucket", r#"instance="a",method="Get",le="0.1""#, "0+30x40"),
    ("request_duration_seconds_bucket", r#"instance="a",method="Get",le="1""#, "0+30x40"),
    ("request_duration_seconds_bucket", r#"instance="a",method="Get",le="+Inf""#, "0+30x40"),
    ("request_duration_seconds_bucket", r#"instance="b",method="Get",le="0.1""#, "0x40"),
    ("request_duration_seconds_bucket", r#"instance="b",method="Get",le="1""#, "0+30x40"),
    ("request_duration_seconds_bucket", r#"instance="b",method="Get",le="+Inf""#, "0+30x40"),
    ("request_duration_seconds_bucket", r#"instance="a",method="Watch",le="0.1""#, "0x40"),
    ("request_duration_seconds_bucket", r#"instance="a",method="Watch",le="1""#, "0x40"),
    ("request_duration_seconds_bucket", r#"instance="a",method="Watch",le="+Inf""#, "0+60x40"),
    ("in_flight_requests", r#"instance="a",method="Get""#, "1x40"),
    ("in_flight_requests", r#"instance="b",method="Get""#, "2x40"),
    ("in_flight_requests", r#"instance="a",method="Watch""#, "3x40"),
    ("in_flight_requests", r#"instance="b",method="Watch""#, "4x40"),
    ("method_info", r#"instance="a",method="Get",type="unary""#, "1x40"),
    ("method_info", r#"instance="b",method="Get",type="unary""#, "1x40"),
    ("method_info", r#"instance="a",method="Watch",type="server_stream""#, "1x40"),
    ("method_info", r#"instance="b",method="Watch",type="server_stream""#, "1x40"),
    ("stream_messages_sent_total", r#"instance="a",method="Watch""#, "0+150x40"),
    ("stream_messages_sent_total", r#"instance="b",method="Watch""#, "0+90x40"),
    // The new objective of `a` is stricter than the old one of `b`, and holds.
    ("slo_objective_ratio", r#"instance="a",method="Get",slo="availability""#, "0.75x40"),
    ("slo_objective_ratio", r#"instance="b",method="Get",slo="availability""#, "0.5x40"),
    ("slo_events_total", r#"instance="a",method="Get",slo="availability""#, "0+30x40"),
    ("slo_events_total", r#"instance="b",method="Get",slo="availability""#, "0+30x40"),
    ("slo_bad_events_total", r#"instance="a",method="Get",slo="availability""#, "0x40"),
    ("slo_bad_events_total", r#"instance="b",method="Get",slo="availability""#, "0+15x40"),
    ("slo_objective_ratio", r#"instance="a",method="Watch",slo="availability""#, "0.5x40"),
    ("slo_events_total", r#"instance="a",method="Watch",slo="availability""#, "0+60x40"),
    ("slo_bad_events_total", r#"instance="a",method="Watch",slo="availability""#, "0x40"),
    ("slo_objective_ratio", r#"instance="a",method="Get",slo="latency""#, "0.5x40"),
    ("slo_objective_ratio", r#"instance="b",method="Get",slo="latency""#, "0.5x40"),
    ("slo_events_total", r#"instance="a",method="Get",slo="latency""#, "0+30x40"),
    ("slo_events_total", r#"instance="b",method="Get",slo="latency""#, "0+30x40"),
    ("slo_bad_events_total", r#"instance="a",method="Get",slo="latency""#, "0x40"),
    ("slo_bad_events_total", r#"instance="b",method="Get",slo="latency""#, "0+60x40"),
    ("slo_events_total", r#"instance="a",method="Old",slo="availability""#, "0+60x40"),
    ("slo_bad_events_total", r#"instance="a",method="Old",slo="availability""#, "0+60x40"),
];

const NODE: &str = r#"{id="s", title="s", service="s"}"#;
const GET: &str = r#"{service="s", method="Get"}"#;
const WATCH: &str = r#"{service="s", method="Watch"}"#;
const AVAILABILITY: &str = r#"{service="s", slo="availability"}"#;
const LATENCY: &str = r#"{service="s", slo="latency"}"#;
const GET_AVAILABILITY: &str = r#"{service="s", method="Get", slo="availability"}"#;
const GET_LATENCY: &str = r#"{service="s", method="Get", slo="latency"}"#;
const WATCH_AVAILABILITY: &str = r#"{service="s", method="Watch", slo="availability"}"#;

/// Availability: 1 bad a second, of 4 of `Get`, of which a quarter may be bad, and 4 of `Watch`, of which
/// half may be: 1 of 3. Latency: 4 bad of 4, of which half may be.
const OF_TWO_INSTANCES: &[Answers] = &[
    ("Requests A", &[("{}", 8.0)]),
    ("Failed by the server A", &[("{}", 0.125)]),
    ("P95 duration A", &[("{}", 0.91)]),
    ("In flight A", &[("{}", 10.0)]),
    ("Lowest budget left A", &[("{}", -1.0)]),
    ("Instances A", &[("{}", 2.0)]),
    ("Error budget left A", &[(AVAILABILITY, 0.667), (LATENCY, -1.0)]),
    ("Burn rate over 5 minutes A", &[(AVAILABILITY, 0.333), (LATENCY, 2.0)]),
    ("Burn rate over 1 hour A", &[(AVAILABILITY, 0.333), (LATENCY, 2.0)]),
    (
        "Objectives by method A",
        &[(GET_AVAILABILITY, 0.75), (GET_LATENCY, 0.5), (WATCH_AVAILABILITY, 0.5)],
    ),
    (
        "Objectives by method B",
        &[(GET_AVAILABILITY, 0.75), (GET_LATENCY, 0.0), (WATCH_AVAILABILITY, 1.0)],
    ),
    (
        "Objectives by method C",
        &[(GET_AVAILABILITY, 0.0), (GET_LATENCY, -1.0), (WATCH_AVAILABILITY, 1.0)],
    ),
    (
        "Objectives by method D",
        &[(GET_AVAILABILITY, 1.0), (GET_LATENCY, 2.0), (WATCH_AVAILABILITY, 0.0)],
    ),
    ("Requests by service A", &[(r#"{service="s"}"#, 8.0)]),
    ("Requests by method A", &[(GET, 4.0), (WATCH, 4.0)]),
    ("Failed by the server, by service A", &[(r#"{service="s"}"#, 0.125)]),
    ("Error ratio by code A", &[(r#"{code="13"}"#, 0.125)]),
    ("Causes A", &[(r#"{service="s", error="db"}"#, 1.0)]),
    // Of the 4 requests a second of `Get`, 2 are in 100 ms and all in a second.
    ("P50, P95 and P99 A", &[("{}", 0.1)]),
    ("P50, P95 and P99 B", &[("{}", 0.91)]),
    ("P50, P95 and P99 C", &[("{}", 0.982)]),
    ("P95 by method A", &[(GET, 0.91)]),
    ("In flight by method A", &[(GET, 3.0), (WATCH, 7.0)]),
    ("Open streams A", &[(WATCH, 7.0)]),
    ("Messages sent A", &[(WATCH, 16.0)]),
    ("Methods now A", &[(GET, 4.0), (WATCH, 4.0)]),
    ("Methods now B", &[(GET, 0.25), (WATCH, 0.0)]),
    ("Methods now C", &[(GET, 0.25), (WATCH, 0.0)]),
    ("Methods now D", &[(GET, 0.91)]),
    ("Methods now E", &[(GET, 3.0), (WATCH, 7.0)]),
    ("Topology A", &[(NODE, 8.0)]),
    ("Topology B", &[(r#"{service="s"}"#, 0.125)]),
    ("Topology C", &[(r#"{service="s"}"#, 0.875)]),
    ("Topology D", &[(r#"{service="s"}"#, 910.0)]),
];

/// A program of unary methods without errors of their own, which nobody has called.
const IDLE: &[Series] = &[
    ("requests_total", r#"instance="a",method="Get",code="0""#, "0x40"),
    ("requests_total", r#"instance="a",method="Get",code="13""#, "0x40"),
    ("request_duration_seconds_bucket", r#"instance="a",method="Get",le="0.1""#, "0x40"),
    ("request_duration_seconds_bucket", r#"instance="a",method="Get",le="+Inf""#, "0x40"),
    ("in_flight_requests", r#"instance="a",method="Get""#, "0x40"),
    ("method_info", r#"instance="a",method="Get",type="unary""#, "1x40"),
    ("slo_objective_ratio", r#"instance="a",method="Get",slo="availability""#, "0.999x40"),
    ("slo_events_total", r#"instance="a",method="Get",slo="availability""#, "0x40"),
    ("slo_bad_events_total", r#"instance="a",method="Get",slo="availability""#, "0x40"),
];

const OF_IDLE: &[Answers] = &[
    ("Requests A", &[("{}", 0.0)]),
    ("Failed by the server A", &[("{}", 0.0)]),
    ("In flight A", &[("{}", 0.0)]),
    ("Lowest budget left A", &[("{}", 1.0)]),
    ("Instances A", &[("{}", 1.0)]),
    ("Error budget left A", &[(AVAILABILITY, 1.0)]),
    ("Burn rate over 5 minutes A", &[(AVAILABILITY, 0.0)]),
    ("Burn rate over 1 hour A", &[(AVAILABILITY, 0.0)]),
    ("Objectives by method A", &[(GET_AVAILABILITY, 0.999)]),
    ("Objectives by method B", &[(GET_AVAILABILITY, 1.0)]),
    ("Objectives by method C", &[(GET_AVAILABILITY, 1.0)]),
    ("Objectives by method D", &[(GET_AVAILABILITY, 0.0)]),
    ("Requests by service A", &[(r#"{service="s"}"#, 0.0)]),
    ("Requests by method A", &[(GET, 0.0)]),
    ("Failed by the server, by service A", &[(r#"{service="s"}"#, 0.0)]),
    ("Error ratio by code A", &[(r#"{code="13"}"#, 0.0)]),
    ("Causes A", &[(r#"{error="none"}"#, 0.0)]),
    ("In flight by method A", &[(GET, 0.0)]),
    ("Open streams A", &[(r#"{method="none"}"#, 0.0)]),
    ("Messages sent A", &[(r#"{method="none"}"#, 0.0)]),
    ("Methods now A", &[(GET, 0.0)]),
    ("Methods now B", &[(GET, 0.0)]),
    ("Methods now C", &[(GET, 0.0)]),
    ("Methods now E", &[(GET, 0.0)]),
    ("Topology A", &[(NODE, 0.0)]),
    ("Topology B", &[(r#"{service="s"}"#, 0.0)]),
    ("Topology C", &[(r#"{service="s"}"#, 1.0)]),
];

/// Codes that are spelled as names, no objectives; 3 of 4 are good, half of the others the server's fault.
const NAMES: &[Series] = &[
    ("requests_total", r#"instance="a",method="Get",code="OK""#, "0+90x40"),
    ("requests_total", r#"instance="a",method="Get",code="NOT_FOUND""#, "0+15x40"),
    ("requests_total", r#"instance="a",method="Get",code="UNAVAILABLE""#, "0+15x40"),
];

const OF_NAMES: &[Answers] = &[
    ("Failed by the server A", &[("{}", 0.125)]),
    ("Lowest budget left A", &[]),
    ("Failed by the server, by service A", &[(r#"{service="s"}"#, 0.125)]),
    (
        "Error ratio by code A",
        &[(r#"{code="NOT_FOUND"}"#, 0.125), (r#"{code="UNAVAILABLE"}"#, 0.125)],
    ),
    ("Methods now B", &[(GET, 0.25)]),
    ("Methods now C", &[(GET, 0.125)]),
];

/// The same with numbers, and a fault that is none here.
const FAULTS: &[Series] = &[
    ("requests_total", r#"instance="a",method="Get",code="0""#, "0+60x40"),
    ("requests_total", r#"instance="a",method="Get",code="5""#, "0+15x40"),
    ("requests_total", r#"instance="a",method="Get",code="13""#, "0+30x40"),
    ("requests_total", r#"instance="a",method="Get",code="14""#, "0+15x40"),
];

const OF_FAULTS: &[Answers] = &[
    ("Failed by the server A", &[("{}", 0.25)]),
    ("Failed by the server, by service A", &[(r#"{service="s"}"#, 0.25)]),
    ("Methods now B", &[(GET, 0.5)]),
    ("Methods now C", &[(GET, 0.25)]),
];

const OF_NAMED_FAULTS: &[Answers] = &[
    ("Failed by the server A", &[("{}", 0.25)]),
    ("Failed by the server, by service A", &[(r#"{service="s"}"#, 0.25)]),
    ("Methods now C", &[(GET, 0.25)]),
];

/// A file of promtool's: these series, and what each query answers at their end.
fn test_file(names: &Names, series: &[Series], answers: &[Answers], queries: &[Query]) -> String {
    let mut file = String::from("tests:\n- interval: 15s\n  input_series:\n");
    for (metric, labels, values) in series {
        let service = if labels.contains("service=") { "" } else { r#"service="s","# };
        let prefix = if metric.starts_with("grpc_") { "" } else { "grpc_server_" };
        let labels = format!(r#"job="j",{service}{labels}"#);
        let series = names.series(&format!("{prefix}{metric}"), &labels);
        writeln!(file, "  - {{series: '{series}', values: '{values}'}}").unwrap();
    }
    file += "  promql_expr_test:\n";
    for (name, samples) in answers {
        let query = queries.iter().find(|query| query.name() == *name).expect(name);
        // Its order tells nothing, and is not kept by what is around it.
        let expr = ALL.put_into(&query.expr);
        let expr = expr.strip_prefix("sort").unwrap_or(&expr);
        writeln!(file, "  - expr: 'round({expr}, 0.001)'\n    eval_time: 10m\n    exp_samples:")
            .unwrap();
        for (labels, value) in *samples {
            let labels = names.answer(labels);
            writeln!(file, "    - {{labels: '{labels}', value: {value}}}").unwrap();
        }
    }
    file
}

/// The dashboard's queries have these answers, in every naming.
pub(crate) fn check(name: &str, series: &[Series], answers: &[Answers]) {
    check_of(&dashboard(), name, series, answers);
    for names in OTHERS {
        let dashboard = rendered(|builder| builder.naming(names.naming));
        let name = format!("{name}_{:?}", names.naming);
        check_in(&names, &dashboard, &name, series, answers);
    }
}

pub(crate) fn check_of(dashboard: &Value, name: &str, series: &[Series], answers: &[Answers]) {
    check_in(&DEFAULT, dashboard, name, series, answers);
}

fn check_in(names: &Names, dashboard: &Value, name: &str, series: &[Series], answers: &[Answers]) {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dashboard_{name}.yml"));
    fs::write(&file, test_file(names, series, answers, &queries_of(dashboard))).unwrap();
    let promtool = Command::new("promtool").args(["test", "rules"]).arg(&file).output();
    let output = promtool.expect("promtool is not installed");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{name}: {said}");
}

/// All queries but these have an answer, and these have none.
fn assert_only_these_are_silent(
    name: &str,
    series: &[Series],
    answers: &[Answers],
    is_silent: fn(&Query) -> bool,
) {
    for query in queries() {
        let answers =
            answers.iter().any(|(name, samples)| *name == query.name() && !samples.is_empty());
        assert_ne!(answers, is_silent(&query), "{}", query.name());
    }
    let silent: Vec<_> = queries().into_iter().filter(is_silent).collect();
    let empty: Vec<_> = silent.iter().map(Query::name).collect();
    let empty: Vec<Answers> = empty.iter().map(|name| (name.as_str(), &[][..])).collect();
    check(&format!("{name}_silent"), series, &empty);
}

#[test]
#[ignore = "needs the promtool program"]
fn every_query_is_right_for_two_instances() {
    check("two_instances", TWO_INSTANCES, OF_TWO_INSTANCES);
    let is_silent = |query: &Query| query.is_of_the_layer() || query.is_of_clients();
    assert_only_these_are_silent("two_instances", TWO_INSTANCES, OF_TWO_INSTANCES, is_silent);
}

#[test]
#[ignore = "needs the promtool program"]
fn no_query_is_empty_or_nan_while_nothing_happens() {
    check("idle", IDLE, OF_IDLE);
    let is_silent =
        |query: &Query| query.is_of_durations() || query.is_of_the_layer() || query.is_of_clients();
    assert_only_these_are_silent("idle", IDLE, OF_IDLE, is_silent);
}

/// The dashboard with these settings.
fn rendered(settings: impl FnOnce(GrpcMetricsBuilder) -> GrpcMetricsBuilder) -> Value {
    let builder = settings(GrpcMetrics::builder().registry(&Registry::new()));
    let metrics = builder.build().expect("settings that are right");
    serde_json::from_str(&metrics.monitoring().dashboard()).expect("no JSON")
}

#[test]
#[ignore = "needs the promtool program"]
fn h4_the_dashboard_knows_codes_by_name() {
    let dashboard = rendered(|builder| builder.code_label(CodeLabel::Name));
    check_of(&dashboard, "names", NAMES, OF_NAMES);
}

#[test]
#[ignore = "needs the promtool program"]
fn h4_the_dashboard_shows_the_faults_that_are_set() {
    let faults = [Code::NotFound, Code::Unavailable];
    let numbers = rendered(|builder| builder.fault_codes(faults));
    check_of(&numbers, "faults", FAULTS, OF_FAULTS);
    let names = rendered(|builder| builder.fault_codes(faults).code_label(CodeLabel::Name));
    check_of(&names, "fault_names", NAMES, OF_NAMED_FAULTS);
    for dashboard in [numbers, names] {
        let text = dashboard.to_string();
        assert!(text.contains("a server-fault code: NOT_FOUND or UNAVAILABLE."), "{text}");
        assert!(!text.contains("INTERNAL,"), "{text}");
    }
}

#[test]
#[ignore = "needs the promtool program"]
fn h4_a_server_that_is_never_at_fault_has_a_dashboard() {
    let dashboard = rendered(|builder| builder.fault_codes([]));
    check_of(&dashboard, "no_faults", FAULTS, &[("Requests A", &[("{}", 8.0)])]);
    assert!(dashboard.to_string().contains("a server-fault code: none."));
}
