//! The files of the stack name each other rightly.

use std::collections::BTreeMap;

use crate::monitoring;

const DATA_SOURCES: &str = "grafana/provisioning/datasources/";

/// By path.
fn files() -> BTreeMap<&'static str, String> {
    let files = monitoring("grpc_server").files("nova", &["host.docker.internal:8081"]);
    files.into_iter().map(|file| (file.path, file.text)).collect()
}

/// The values of a key, wherever it stands.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let key = format!("{key}: ");
    let lines = text.lines().map(|line| line.trim().trim_start_matches("- "));
    lines.filter_map(|line| line.strip_prefix(key.as_str())).collect()
}

/// A service of the compose file, from its name to the next.
fn service<'a>(compose: &'a str, name: &str) -> &'a str {
    let (_, rest) = compose.split_once(&format!("\n  {name}:\n")).expect(name);
    let other = |at: usize| rest[at + 1..].starts_with("  ") && !rest[at + 3..].starts_with(' ');
    let end = rest.match_indices('\n').map(|(at, _)| at).find(|at| other(*at));
    &rest[..end.unwrap_or(rest.len())]
}

#[test]
fn a_point_leads_to_a_data_source_that_is_there() {
    let files = files();
    let sources: Vec<_> = files.iter().filter(|(path, _)| path.starts_with(DATA_SOURCES)).collect();
    let of = |key| sources.iter().flat_map(|(_, text)| values(text, key)).collect::<Vec<_>>();
    assert_eq!(of("uid"), ["jaeger", "prometheus"]);
    assert_eq!(of("type"), ["jaeger", "prometheus"]);
    // The label of the exemplars, and the uid above.
    let prometheus = &files[&*format!("{DATA_SOURCES}prometheus.yml")];
    let (_, destinations) = prometheus.split_once("exemplarTraceIdDestinations:\n").unwrap();
    assert_eq!(values(destinations, "name"), ["trace_id"]);
    assert_eq!(values(destinations, "datasourceUid"), ["jaeger"]);
    // Their addresses are services of the compose file, and Grafana waits for them.
    let compose = &files["docker-compose.yml"];
    for url in of("url") {
        let (host, port) = url.strip_prefix("http://").unwrap().split_once(':').unwrap();
        assert!(service(compose, host).contains(&format!(":{port}:{port}")), "{url}");
        assert!(values(service(compose, "grafana"), "depends_on")[0].contains(host), "{url}");
    }
}

/// An alert for a service may fire one evaluation later than those it inhibits. Were a method's alert sent before,
/// the service's would wait for `group_interval`.
#[test]
fn h9_an_alert_is_not_sent_before_what_inhibits_it() {
    let files = files();
    let seconds = |path: &str, key| -> Vec<u32> {
        let values = values(&files[path], key);
        values.iter().map(|value| value.strip_suffix('s').unwrap().parse().unwrap()).collect()
    };
    let [evaluation] = seconds("prometheus/prometheus.yml", "evaluation_interval")[..] else {
        panic!("not one interval");
    };
    let waits = seconds("alertmanager/alertmanager.yml", "group_wait");
    assert_eq!(waits.len(), 2);
    assert!(waits.iter().all(|wait| *wait > evaluation), "{waits:?}, {evaluation}");
}

#[test]
fn traces_reach_jaeger_and_prometheus_keeps_what_points_to_them() {
    let compose = &files()["docker-compose.yml"];
    let jaeger = service(compose, "jaeger");
    // OTLP over gRPC, and the web interface.
    for port in ["4317", "16686"] {
        assert!(jaeger.contains(&format!("127.0.0.1:{port}:{port}")), "{jaeger}");
    }
    let prometheus = service(compose, "prometheus");
    assert!(prometheus.contains("- --enable-feature=exemplar-storage\n"), "{prometheus}");
}
