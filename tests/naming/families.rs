//! M1: the names, labels, spelling and buckets of each naming.

use std::collections::BTreeSet;

use grpc_metrics_runtime::Naming;
use support::scrape::Scrape;

use super::{busy, labels};

/// The families that a naming defines, with their labels in the order of names.
type Families = &'static [(&'static str, &'static [&'static str])];

const GO: Families = &[
    ("grpc_server_started_total", &["grpc_method", "grpc_service", "grpc_type"]),
    ("grpc_server_handled_total", &["grpc_code", "grpc_method", "grpc_service", "grpc_type"]),
    ("grpc_server_handling_seconds", &["grpc_method", "grpc_service", "grpc_type"]),
    ("grpc_server_msg_received_total", &["grpc_method", "grpc_service", "grpc_type"]),
    ("grpc_server_msg_sent_total", &["grpc_method", "grpc_service", "grpc_type"]),
];

const OTEL: Families = &[
    (
        "rpc_server_call_duration_seconds",
        &["error_type", "rpc_method", "rpc_response_status_code", "rpc_system_name"],
    ),
    (
        "rpc_client_call_duration_seconds",
        &[
            "error_type",
            "rpc_method",
            "rpc_response_status_code",
            "rpc_system_name",
            "server_address",
            "server_port",
        ],
    ),
];

const A66: Families = &[
    ("grpc_server_call_started_total", &["grpc_method"]),
    ("grpc_server_call_duration_seconds", &["grpc_method", "grpc_status"]),
    ("grpc_server_call_sent_total_compressed_message_size_bytes", &["grpc_method", "grpc_status"]),
    ("grpc_server_call_rcvd_total_compressed_message_size_bytes", &["grpc_method", "grpc_status"]),
    ("grpc_client_attempt_started_total", &["grpc_method", "grpc_target"]),
    ("grpc_client_attempt_duration_seconds", &["grpc_method", "grpc_status", "grpc_target"]),
    ("grpc_client_call_duration_seconds", &["grpc_method", "grpc_status", "grpc_target"]),
    (
        "grpc_client_attempt_sent_total_compressed_message_size_bytes",
        &["grpc_method", "grpc_status", "grpc_target"],
    ),
    (
        "grpc_client_attempt_rcvd_total_compressed_message_size_bytes",
        &["grpc_method", "grpc_status", "grpc_target"],
    ),
];

/// What no naming defines, and what this crate's own names are for.
const EXTENSIONS: [&str; 14] = [
    "in_flight_requests",
    "method_info",
    "errors_total",
    "slo_events_total",
    "slo_bad_events_total",
    "slo_objective_ratio",
    "edge_requests_total",
    "stream_messages_sent_total",
    "stream_messages_received_total",
    "request_size_bytes",
    "response_size_bytes",
    "requests_total",
    "request_duration_seconds",
    "requests_started_total",
];

async fn scrape_of(naming: Naming) -> Scrape {
    busy(|builder| builder.naming(naming)).await.scrape()
}

/// Asserts that the naming's families have these labels, and that all others are extensions among `extensions`.
fn assert_families(scrape: &Scrape, families: Families, extensions: &[&str]) {
    let labels = labels(scrape);
    for (family, expected) in families {
        let expected = BTreeSet::from([expected.to_vec()]);
        assert_eq!(labels.get(family), Some(&expected), "{family}\n{}", scrape.text);
    }
    for family in labels.keys().filter(|family| !families.iter().any(|(known, _)| known == *family))
    {
        let is_extension = extensions.iter().any(|known| {
            family.strip_suffix(known).is_some_and(|prefix| {
                ["grpc_server_", "grpc_client_", "rpc_server_", "rpc_client_"].contains(&prefix)
            })
        });
        assert!(is_extension, "{family}\n{}", scrape.text);
    }
}

fn bounds(scrape: &Scrape, family: &str) -> Vec<f64> {
    let values = scrape.label_values(&format!("{family}_bucket"), "le");
    let bounds = values.iter().filter(|le| **le != "+Inf").map(|le| le.parse().expect("a bound"));
    let mut bounds: Vec<f64> = bounds.collect();
    bounds.sort_by(f64::total_cmp);
    bounds
}

#[tokio::test]
async fn m1_go_grpc_prometheus() {
    let scrape = scrape_of(Naming::GoGrpcPrometheus).await;
    // The client's are the same.
    let client = GO.iter().map(|(name, labels)| (name.replace("server", "client"), *labels));
    // Its target is not among go-grpc-prometheus's labels, and only there if the program gives one.
    for (name, of) in client {
        let mut of = of.to_vec();
        of.push("target");
        assert_eq!(labels(&scrape)[name.as_str()], BTreeSet::from([of]));
    }
    let names: Vec<_> = EXTENSIONS[..7].iter().chain(&EXTENSIONS[9..11]).copied().collect();
    let names: Vec<_> = names
        .into_iter()
        .chain([
            "started_total",
            "handled_total",
            "handling_seconds",
            "msg_received_total",
            "msg_sent_total",
        ])
        .collect();
    assert_families(&scrape, GO, &names);
    let le = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    assert_eq!(bounds(&scrape, "grpc_server_handling_seconds"), le);
    let codes = scrape.label_values("grpc_server_handled_total", "grpc_code");
    let all = "OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied \
        ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss \
        Unauthenticated";
    assert_eq!(codes, all.split_whitespace().collect());
    let unary =
        [("grpc_service", "testing.v1.Scripted"), ("grpc_method", "Unary"), ("grpc_type", "unary")];
    // One more by a client that is not measured, which panics.
    assert_eq!(scrape.value("grpc_server_started_total", &unary), Some(7.0));
    // A layer alone does not know the kind.
    let client = [&unary[..2], &[("grpc_type", "bidi_stream")]].concat();
    assert_eq!(scrape.value("grpc_client_started_total", &client), Some(6.0));
    let ok = [&unary[..], &[("grpc_code", "OK")]].concat();
    assert_eq!(scrape.value("grpc_server_handled_total", &ok), Some(3.0));
}

#[tokio::test]
async fn m1_messages_of_unary_methods_count_where_the_naming_says_so() {
    let scrape = scrape_of(Naming::GoGrpcPrometheus).await;
    for (method, received, sent) in
        [("Unary", 7.0, 3.0), ("Upload", 6.0, 3.0), ("Watch", 6.0, 6.0), ("Chat", 6.0, 6.0)]
    {
        let labels = [("grpc_service", "testing.v1.Scripted"), ("grpc_method", method)];
        assert_eq!(
            scrape.value("grpc_server_msg_received_total", &labels),
            Some(received),
            "{method}"
        );
        assert_eq!(scrape.value("grpc_server_msg_sent_total", &labels), Some(sent), "{method}");
        // Six of seven are the client's.
        assert_eq!(scrape.value("grpc_client_msg_sent_total", &labels), Some(6.0), "{method}");
        assert_eq!(scrape.value("grpc_client_msg_received_total", &labels), Some(sent), "{method}");
    }
}

#[tokio::test]
async fn m1_opentelemetry() {
    let scrape = scrape_of(Naming::OpenTelemetry).await;
    assert_families(&scrape, OTEL, &EXTENSIONS[..11]);
    let le = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
    assert_eq!(bounds(&scrape, "rpc_server_call_duration_seconds"), le);
    let count = |side: &str, method, code, error, n| {
        let labels = [
            ("rpc_system_name", "grpc"),
            ("rpc_method", method),
            ("rpc_response_status_code", code),
            ("error_type", error),
        ];
        let name = format!("rpc_{side}_call_duration_seconds_count");
        assert_eq!(scrape.value(&name, &labels), Some(n), "{side} {labels:?}\n{}", scrape.text);
    };
    let unary = "testing.v1.Scripted/Unary";
    count("server", unary, "OK", "", 3.0);
    // To a server, this is no failure.
    count("server", unary, "NOT_FOUND", "", 2.0);
    count("server", unary, "INTERNAL", "INTERNAL", 1.0);
    count("server", "_OTHER", "OK", "", 0.0);
    // What the conventions do not define has the service, too.
    let other = [("rpc_service", "_OTHER"), ("rpc_method", "_OTHER")];
    assert_eq!(scrape.value("rpc_server_in_flight_requests", &other), Some(0.0));
    count("client", unary, "OK", "", 3.0);
    count("client", unary, "NOT_FOUND", "NOT_FOUND", 2.0);
    let name = "rpc_client_call_duration_seconds_count";
    assert_eq!(scrape.label_values(name, "server_address"), BTreeSet::from(["scripted"]));
    assert_eq!(scrape.label_values(name, "server_port"), BTreeSet::from(["50051"]));
}

#[tokio::test]
async fn m1_grpc_a66() {
    let scrape = scrape_of(Naming::GrpcA66).await;
    assert_families(&scrape, A66, &EXTENSIONS[..9]);
    let bounds = bounds(&scrape, "grpc_server_call_duration_seconds");
    assert_eq!(bounds.len(), 41, "{bounds:?}");
    assert_eq!((bounds[0], bounds[1], bounds[40]), (0.0, 0.000_01, 100.0));
    let unary = "testing.v1.Scripted/Unary";
    assert_eq!(
        scrape.value("grpc_server_call_started_total", &[("grpc_method", unary)]),
        Some(7.0)
    );
    for (code, n) in [("OK", 3.0), ("NOT_FOUND", 2.0), ("INTERNAL", 1.0), ("UNKNOWN", 0.0)] {
        let labels = [("grpc_method", unary), ("grpc_status", code)];
        let name = "grpc_server_call_duration_seconds_count";
        // The panic, which ends as the server's tower of tonic says.
        let n = if code == "UNKNOWN" { n + 1.0 } else { n };
        assert_eq!(scrape.value(name, &labels), Some(n), "{code}\n{}", scrape.text);
        let sizes = "grpc_server_call_rcvd_total_compressed_message_size_bytes_count";
        assert_eq!(scrape.value(sizes, &labels), Some(n), "{code}");
    }
    let other = [("grpc_method", "other"), ("grpc_status", "OK")];
    assert_eq!(scrape.value("grpc_server_call_duration_seconds_count", &other), Some(0.0));
    let client = [("grpc_method", unary), ("grpc_target", super::TARGET), ("grpc_status", "OK")];
    for family in ["grpc_client_attempt_duration_seconds", "grpc_client_call_duration_seconds"] {
        assert_eq!(scrape.value(&format!("{family}_count"), &client), Some(3.0), "{family}");
    }
}
