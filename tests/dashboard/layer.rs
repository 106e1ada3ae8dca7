//! Contract, H7: what the dashboard shows of a server layer's counts.

use super::answers::{Answers, Series, check};
use super::queries::{Query, list, panels, queries, text};

/// Two instances over ten minutes. `Get` is called 3 times a second on `a`, and once, in vain, on `b`. `Put` takes
/// streams. Other paths are called 4 times a second on `a`, and twice, by a health check, on `b`.
const LAYERED: &[Series] = &[
    ("requests_total", r#"instance="a",method="Get",code="0""#, "0+45x40"),
    ("requests_total", r#"instance="b",method="Get",code="13""#, "0+15x40"),
    ("requests_total", r#"instance="a",service="other",method="other",code="12""#, "0+60x40"),
    ("requests_total", r#"instance="b",service="other",method="other",code="0""#, "0+30x40"),
    ("in_flight_requests", r#"instance="a",method="Get""#, "1x40"),
    ("in_flight_requests", r#"instance="b",method="Get""#, "0x40"),
    ("in_flight_requests", r#"instance="a",service="other",method="other""#, "1x40"),
    ("stream_messages_received_total", r#"instance="a",method="Put""#, "0+150x40"),
    ("stream_messages_received_total", r#"instance="b",method="Put""#, "0+90x40"),
    ("request_size_bytes_sum", r#"instance="a",method="Get""#, "0+1500x40"),
    ("request_size_bytes_count", r#"instance="a",method="Get""#, "0+45x40"),
    ("request_size_bytes_sum", r#"instance="b",method="Get""#, "0+4500x40"),
    ("request_size_bytes_count", r#"instance="b",method="Get""#, "0+15x40"),
    ("response_size_bytes_sum", r#"instance="a",method="Get""#, "0+3000x40"),
    ("response_size_bytes_count", r#"instance="a",method="Get""#, "0+45x40"),
    ("response_size_bytes_sum", r#"instance="b",method="Get""#, "0x40"),
    ("response_size_bytes_count", r#"instance="b",method="Get""#, "0+15x40"),
    ("request_size_bytes_sum", r#"instance="a",service="other",method="other""#, "0+600x40"),
    ("request_size_bytes_count", r#"instance="a",service="other",method="other""#, "0+60x40"),
];

const GET: &str = r#"{service="s", method="Get"}"#;
const OTHER: &str = r#"{service="other", method="other"}"#;

const OF_LAYERED: &[Answers] = &[
    ("Requests A", &[("{}", 10.0)]),
    ("Failed by the server A", &[("{}", 0.25)]),
    // Whether or not their methods' kinds are known.
    ("Instances A", &[("{}", 2.0)]),
    ("Requests by service A", &[(r#"{service="s"}"#, 4.0), (r#"{service="other"}"#, 6.0)]),
    ("Failed by the server, by service A", &[(r#"{service="s"}"#, 0.25)]),
    ("Error ratio by code A", &[(r#"{code="13"}"#, 0.25)]),
    ("Messages received A", &[(r#"{service="s", method="Put"}"#, 16.0)]),
    ("Mean request size by method A", &[(GET, 100.0), (OTHER, 10.0)]),
    ("Mean response size by method A", &[(GET, 50.0)]),
    ("Requests to other paths A", &[(r#"{code="0"}"#, 2.0), (r#"{code="12"}"#, 4.0)]),
    ("Methods now A", &[(GET, 4.0)]),
    ("Methods now B", &[(GET, 0.25)]),
    ("Methods now C", &[(GET, 0.25)]),
    ("Methods now E", &[(GET, 1.0)]),
];

/// Of unary methods, which nobody has called.
const IDLE: &[Series] = &[
    ("requests_total", r#"instance="a",method="Get",code="0""#, "0x40"),
    ("requests_total", r#"instance="a",service="other",method="other",code="0""#, "0x40"),
    ("requests_total", r#"instance="a",service="other",method="other",code="12""#, "0x40"),
    ("request_size_bytes_sum", r#"instance="a",method="Get""#, "0x40"),
    ("request_size_bytes_count", r#"instance="a",method="Get""#, "0x40"),
    ("response_size_bytes_sum", r#"instance="a",method="Get""#, "0x40"),
    ("response_size_bytes_count", r#"instance="a",method="Get""#, "0x40"),
];

/// A mean of no requests is none.
const OF_IDLE: &[Answers] = &[
    ("Messages received A", &[(r#"{method="none"}"#, 0.0)]),
    ("Mean request size by method A", &[]),
    ("Mean response size by method A", &[]),
    ("Requests to other paths A", &[(r#"{code="0"}"#, 0.0), (r#"{code="12"}"#, 0.0)]),
];

#[test]
#[ignore = "needs the promtool program"]
fn h7_every_query_of_the_layer_is_right_for_two_instances() {
    check("layered", LAYERED, OF_LAYERED);
    check("layered_idle", IDLE, OF_IDLE);
    for query in queries().iter().filter(|query| query.is_of_the_layer()) {
        let name = query.name();
        let answered = |answers: &[Answers]| answers.iter().any(|(of, _)| *of == name);
        assert!(answered(OF_LAYERED) && answered(OF_IDLE), "{name}");
    }
}

#[test]
fn h7_what_needs_the_layer_says_so() {
    let needing: Vec<_> = queries().into_iter().filter(Query::is_of_the_layer).collect();
    assert!(!needing.is_empty());
    for panel in panels() {
        let title = text(&panel["title"]);
        let needs = needing.iter().any(|query| query.panel == title);
        let says = text(&panel["description"]).ends_with("No data without the server layer.");
        assert_eq!(says, needs, "{title}");
        // No other query has data then.
        let of_panel = needing.iter().filter(|query| query.panel == title).count();
        assert!(!needs || of_panel == list(&panel["targets"]).len(), "{title}");
    }
}
