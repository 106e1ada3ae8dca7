//! What the dashboard shows of the calls that measured clients make.

use super::answers::{Answers, Series, check};
use super::queries::{Query, list, panels, queries, text};

/// Over ten minutes, "front" is called twice a second. It calls "back", which has no metrics of its own: `Get` 4 times
/// a second on `a`, each in 100 ms, and once on `b`, in vain and in a second; the stream `Watch` once a second. A
/// second service has callers but no metrics of requests. A call without a known method fails once a second.
const CALLING: &[Series] = &[
    ("requests_total", r#"instance="a",service="front",method="Get",code="0""#, "0+30x40"),
    ("requests_total", r#"instance="a",service="front",method="Get",code="13""#, "0x40"),
    (
        "request_duration_seconds_bucket",
        r#"instance="a",service="front",method="Get",le="0.1""#,
        "0+30x40",
    ),
    (
        "request_duration_seconds_bucket",
        r#"instance="a",service="front",method="Get",le="+Inf""#,
        "0+30x40",
    ),
    ("method_info", r#"instance="a",service="front",method="Get",type="unary""#, "1x40"),
    ("grpc_client_requests_total", r#"instance="a",method="Get",code="0""#, "0+60x40"),
    ("grpc_client_requests_total", r#"instance="a",method="Get",code="14""#, "0x40"),
    ("grpc_client_requests_total", r#"instance="b",method="Get",target="eu",code="14""#, "0+15x40"),
    ("grpc_client_requests_total", r#"instance="a",method="Watch",code="0""#, "0+15x40"),
    (
        "grpc_client_requests_total",
        r#"instance="a",service="other",method="other",code="12""#,
        "0+15x40",
    ),
    (
        "grpc_client_request_duration_seconds_bucket",
        r#"instance="a",method="Get",le="0.1""#,
        "0+60x40",
    ),
    (
        "grpc_client_request_duration_seconds_bucket",
        r#"instance="a",method="Get",le="1""#,
        "0+60x40",
    ),
    (
        "grpc_client_request_duration_seconds_bucket",
        r#"instance="a",method="Get",le="+Inf""#,
        "0+60x40",
    ),
    (
        "grpc_client_request_duration_seconds_bucket",
        r#"instance="b",method="Get",target="eu",le="0.1""#,
        "0x40",
    ),
    (
        "grpc_client_request_duration_seconds_bucket",
        r#"instance="b",method="Get",target="eu",le="1""#,
        "0+15x40",
    ),
    (
        "grpc_client_request_duration_seconds_bucket",
        r#"instance="b",method="Get",target="eu",le="+Inf""#,
        "0+15x40",
    ),
    (
        "grpc_client_request_duration_seconds_bucket",
        r#"instance="a",method="Watch",le="+Inf""#,
        "0+15x40",
    ),
    // Of Get, only the layer knows, which is not told the kind.
    ("grpc_client_method_info", r#"instance="a",method="Watch",type="server_stream""#, "1x40"),
    ("grpc_client_in_flight_requests", r#"instance="a",method="Get""#, "1x40"),
    ("grpc_client_in_flight_requests", r#"instance="b",method="Get",target="eu""#, "2x40"),
    ("grpc_client_stream_messages_received_total", r#"instance="a",method="Watch""#, "0+150x40"),
    (
        "grpc_client_edge_requests_total",
        r#"instance="a",caller_service="front",caller_method="Get",service="s",method="Get",code="0""#,
        "0+45x40",
    ),
    (
        "grpc_client_edge_requests_total",
        r#"instance="a",caller_service="front",caller_method="Put",service="s",method="Get",code="0""#,
        "0+15x40",
    ),
    (
        "grpc_client_edge_requests_total",
        r#"instance="b",caller_service="front",caller_method="Get",service="s",method="Get",target="eu",code="14""#,
        "0+15x40",
    ),
    (
        "grpc_client_edge_requests_total",
        r#"instance="a",caller_service="front",caller_method="Get",service="s",method="Watch",code="0""#,
        "0+15x40",
    ),
    (
        "grpc_client_edge_requests_total",
        r#"instance="a",caller_service="hidden",caller_method="Get",service="s",method="Get",code="0""#,
        "0+3x40",
    ),
];

const GET: &str = r#"{service="s", method="Get"}"#;
const WATCH: &str = r#"{service="s", method="Watch"}"#;
const SERVICE: &str = r#"{service="s"}"#;
const FRONT: &str = r#"{service="front"}"#;
const OTHER: &str = r#"{service="other"}"#;
const FROM_FRONT: &str = r#"{caller_service="front", service="s"}"#;
const FROM_HIDDEN: &str = r#"{caller_service="hidden", service="s"}"#;

const OF_CALLING: &[Answers] = &[
    (
        "Calls by service and method A",
        &[(GET, 5.0), (WATCH, 1.0), (r#"{service="other", method="other"}"#, 1.0)],
    ),
    ("Failed calls by service A", &[(SERVICE, 0.167)]),
    ("P50, P95 and P99 of calls by service A", &[(SERVICE, 0.063)]),
    ("P50, P95 and P99 of calls by service B", &[(SERVICE, 0.775)]),
    ("P50, P95 and P99 of calls by service C", &[(SERVICE, 0.955)]),
    ("Calls by code, except OK A", &[(r#"{code="14"}"#, 1.0)]),
    ("Calls in flight A", &[(GET, 3.0)]),
    ("Messages of calls A", &[(r#"{method="none"}"#, 0.0)]),
    ("Messages of calls B", &[(WATCH, 10.0)]),
    // Each end of an arrow is there: without it, Grafana draws nothing.
    (
        "Topology A",
        &[
            (r#"{id="front", title="front", service="front"}"#, 2.0),
            (r#"{id="s", title="s", service="s"}"#, 6.0),
            (r#"{id="other", title="other", service="other"}"#, 1.0),
            (r#"{id="hidden", title="hidden", service="hidden"}"#, 0.0),
        ],
    ),
    ("Topology B", &[(FRONT, 0.0), (SERVICE, 0.167), (OTHER, 1.0)]),
    ("Topology C", &[(FRONT, 1.0), (SERVICE, 0.833), (OTHER, 0.0)]),
    ("Topology D", &[(FRONT, 95.0), (SERVICE, 775.0)]),
    (
        "Topology E",
        &[
            (
                r#"{id="front s", source="front", target="s", caller_service="front", service="s"}"#,
                6.0,
            ),
            (
                r#"{id="hidden s", source="hidden", target="s", caller_service="hidden", service="s"}"#,
                0.2,
            ),
        ],
    ),
    ("Topology F", &[(FROM_FRONT, 16.667), (FROM_HIDDEN, 0.0)]),
    ("Topology G", &[(FROM_FRONT, 775.0), (FROM_HIDDEN, 775.0)]),
];

/// A client that nobody has used, with a stream that was not.
const IDLE: &[Series] = &[
    ("grpc_client_requests_total", r#"instance="a",method="Get",code="0""#, "0x40"),
    ("grpc_client_requests_total", r#"instance="a",method="Get",code="14""#, "0x40"),
    ("grpc_client_in_flight_requests", r#"instance="a",method="Get""#, "0x40"),
];

const OF_IDLE: &[Answers] = &[
    ("Calls by service and method A", &[(GET, 0.0)]),
    ("Failed calls by service A", &[(SERVICE, 0.0)]),
    ("P50, P95 and P99 of calls by service A", &[]),
    ("P50, P95 and P99 of calls by service B", &[]),
    ("P50, P95 and P99 of calls by service C", &[]),
    ("Calls by code, except OK A", &[(r#"{code="14"}"#, 0.0)]),
    ("Calls in flight A", &[(GET, 0.0)]),
    ("Messages of calls A", &[(r#"{method="none"}"#, 0.0)]),
    ("Messages of calls B", &[(r#"{method="none"}"#, 0.0)]),
    ("Topology A", &[(r#"{id="s", title="s", service="s"}"#, 0.0)]),
    ("Topology B", &[(SERVICE, 0.0)]),
    ("Topology C", &[(SERVICE, 1.0)]),
    ("Topology D", &[]),
    // Handlers are known once they have called.
    ("Topology E", &[]),
    ("Topology F", &[]),
    ("Topology G", &[]),
];

#[test]
#[ignore = "needs the promtool program"]
fn h8_every_query_of_clients_is_right_for_two_instances() {
    check("calling", CALLING, OF_CALLING);
    check("calling_idle", IDLE, OF_IDLE);
    let of_clients = queries().into_iter().filter(|query| query.expr.contains("grpc_client_"));
    for name in of_clients.map(|query| query.name()) {
        let answered = |answers: &[Answers]| answers.iter().any(|(of, _)| *of == name);
        assert!(answered(OF_CALLING) && answered(OF_IDLE), "{name}");
    }
}

#[test]
fn h8_what_needs_measured_clients_says_so() {
    let needing: Vec<_> = queries().into_iter().filter(Query::is_of_clients).collect();
    assert!(!needing.is_empty());
    for panel in panels() {
        let title = text(&panel["title"]);
        let of_panel = needing.iter().filter(|query| query.panel == title).count();
        let says = text(&panel["description"]);
        let needs_them = of_panel == list(&panel["targets"]).len();
        assert_eq!(says.ends_with("No data without measured clients."), needs_them, "{title}");
        let arrows_need_them = of_panel > 0 && !needs_them;
        assert_eq!(says.ends_with("No arrows without measured clients."), arrows_need_them);
        assert!(!arrows_need_them || panel["type"] == "nodeGraph", "{title}");
    }
}
