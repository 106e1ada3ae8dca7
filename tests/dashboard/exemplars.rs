//! The way from a latency panel to a trace: the real Prometheus keeps exemplars, and the panels' queries find
//! them.

use std::future::IntoFuture as _;

use axum::Router;
use axum::routing::get;
use serde_json::Value;
use support::prometheus::Prometheus;
use support::wait::until;

use super::queries::{ALL, list, panels, text};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// What a program shows that has traced an RPC of 70 ms as the server and as the client.
fn exposition() -> String {
    let sides = ["server", "client"].map(exposition_of);
    format!("{}# EOF\n", sides.concat())
}

fn exposition_of(side: &str) -> String {
    let prefix = format!("grpc_{side}");
    let histogram = format!("{prefix}_request_duration_seconds");
    let labels = "service=\"s\",method=\"Get\"";
    format!(
        "# TYPE {histogram} histogram\n\
         {histogram}_bucket{{{labels},le=\"0.1\"}} 1 # {{trace_id=\"{TRACE}\",span_id=\"00f067aa0ba902b7\"}} 0.07\n\
         {histogram}_bucket{{{labels},le=\"+Inf\"}} 1\n\
         {histogram}_sum{{{labels}}} 0.07\n\
         {histogram}_count{{{labels}}} 1\n\
         # TYPE {prefix}_method_info gauge\n\
         {prefix}_method_info{{{labels},type=\"unary\"}} 1\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the prometheus and promtool programs"]
async fn the_queries_of_durations_find_traces() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let metrics = get(|| async { ([("content-type", OPEN_METRICS)], exposition()) });
    tokio::spawn(axum::serve(listener, Router::new().route("/metrics", metrics)).into_future());
    let prometheus = Prometheus::start(env!("CARGO_TARGET_TMPDIR"), &target);

    let panels = panels();
    let targets = panels.iter().flat_map(|panel| list(&panel["targets"]));
    let asking: Vec<_> = targets.filter(|target| target["exemplar"] == true).collect();
    assert_eq!(asking.len(), 3);
    for target in asking {
        let query = ALL.put_into(&text(&target["expr"]));
        let span = [("query", query.as_str()), ("start", "0"), ("end", "99999999999")];
        let answer = || prometheus.get("/api/v1/query_exemplars", &span);
        let found = until(answer, |answer| answer.contains(TRACE)).await;
        let found: Value = serde_json::from_str(&found).unwrap();
        let labels = &found["data"][0]["exemplars"][0]["labels"];
        assert_eq!(labels["trace_id"], TRACE, "{found}");
    }
}
