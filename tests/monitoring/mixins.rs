//! The real Prometheus scrapes Nova in each naming, and has data for what public dashboards and mixins ask.

use support::nova::Nova;
use support::prometheus::Prometheus;
use support::wait::block_until;

/// Dashboards and alerts for go-grpc-prometheus, with their own ranges. Thresholds of alerts are left out.
const MIXINS: &[(&str, &[&str])] = &[
    (
        "generic dashboard",
        &[
            "sum(rate(grpc_server_started_total[5m])) by (grpc_service, grpc_method, instance)",
            "sum(rate(grpc_server_handled_total[5m])) by (grpc_service, grpc_method, instance)",
            "sum(rate(grpc_server_msg_received_total[5m])) by (grpc_service, grpc_method, instance)",
            "sum(rate(grpc_server_msg_sent_total[5m])) by (grpc_service, grpc_method, instance)",
            "sum(rate(grpc_client_started_total[5m])) by (grpc_service, grpc_method, instance)",
            "sum(rate(grpc_client_handled_total[5m])) by (grpc_service, grpc_method, instance)",
            "sum(rate(grpc_client_msg_received_total[5m])) by (grpc_service, grpc_method, instance)",
            "sum(rate(grpc_client_msg_sent_total[5m])) by (grpc_service, grpc_method, instance)",
            "(sum(rate(grpc_server_handled_total{grpc_code=\"Unavailable\"}[5m])) by (grpc_service, grpc_method)
            + sum(rate(grpc_server_handled_total{grpc_code=\"Unknown\"}[5m])) by (grpc_service, grpc_method))
            / sum(rate(grpc_server_handled_total[5m])) by (grpc_service, grpc_method)",
            "(sum(rate(grpc_client_handled_total{grpc_code=\"Unavailable\"}[5m])) by (grpc_service, grpc_method)
            + sum(rate(grpc_client_handled_total{grpc_code=\"Unknown\"}[5m])) by (grpc_service, grpc_method))
            / sum(rate(grpc_client_handled_total[5m])) by (grpc_service, grpc_method)",
            "histogram_quantile(0.5, sum(rate(grpc_server_handling_seconds_bucket[5m])) by (le, grpc_service, grpc_method))",
            "histogram_quantile(0.99, sum(rate(grpc_server_handling_seconds_bucket[5m])) by (le, grpc_service, grpc_method))",
            "histogram_quantile(0.99, sum(rate(grpc_client_handling_seconds_bucket[5m])) by (le, grpc_service, grpc_method))",
        ],
    ),
    (
        "etcd mixin",
        &[
            "100 * sum(rate(grpc_server_handled_total{job=~\".*nova.*\",
            grpc_code=~\"Unknown|FailedPrecondition|ResourceExhausted|Internal|Unavailable|DataLoss|DeadlineExceeded\"}[5m]))
            without (grpc_type, grpc_code)
            / sum(rate(grpc_server_handled_total{job=~\".*nova.*\"}[5m])) without (grpc_type, grpc_code)",
            "histogram_quantile(0.99,
            sum(rate(grpc_server_handling_seconds_bucket{job=~\".*nova.*\", grpc_method!=\"Defragment\", grpc_type=\"unary\"}[5m]))
            without (grpc_type))",
            "sum(rate(grpc_server_started_total{job=\"nova\", grpc_type=\"unary\"}[5m]))",
            "sum(rate(grpc_server_handled_total{job=\"nova\", grpc_type=\"unary\", grpc_code!=\"OK\"}[5m]))",
            "sum(grpc_server_started_total{job=\"nova\", grpc_service=\"nova.streaming.v1.StreamingService\", grpc_type=\"bidi_stream\"})
            - sum(grpc_server_handled_total{job=\"nova\", grpc_service=\"nova.streaming.v1.StreamingService\", grpc_type=\"bidi_stream\"})",
        ],
    ),
    (
        "Thanos mixin",
        &[
            "sum by (job, grpc_method, grpc_code) (rate(grpc_server_handled_total{grpc_type=\"unary\"}[5m]))",
            "sum by (job) (rate(grpc_server_handled_total{grpc_code=~\"Unknown|ResourceExhausted|Internal|Unavailable|DataLoss\", grpc_type=\"unary\"}[5m]))
            / sum by (job) (rate(grpc_server_started_total{grpc_type=\"unary\"}[5m]))",
            "sum(rate(grpc_client_handled_total{grpc_code=~\"Unknown|ResourceExhausted|Internal|Unavailable|DataLoss\", grpc_type=\"unary\"}[5m]))
            / sum(rate(grpc_client_started_total{grpc_type=\"unary\"}[5m]))",
            "histogram_quantile(0.99, sum by (job, le) (rate(grpc_server_handling_seconds_bucket{grpc_type=\"unary\"}[5m])))",
            "histogram_quantile(0.99, sum by (job, le) (rate(grpc_server_handling_seconds_bucket{grpc_type=\"server_stream\"}[5m])))",
        ],
    ),
    (
        "Argo CD",
        &[
            "sum(increase(grpc_server_handled_total{grpc_service=\"nova.content.v1.ContentService\"}[5m])) by (grpc_code, grpc_method)",
        ],
    ),
    (
        "Pyrra",
        &[
            "sum by (grpc_service, grpc_method) (rate(grpc_server_handled_total{grpc_service=\"nova.content.v1.ContentService\",
            grpc_code=~\"Aborted|Unavailable|Internal|Unknown|Unimplemented|DataLoss\"}[5m]))
            / sum by (grpc_service, grpc_method) (rate(grpc_server_handled_total{grpc_service=\"nova.content.v1.ContentService\"}[5m]))",
        ],
    ),
];

const OPEN_TELEMETRY: &[&str] = &[
    "sum by (rpc_method, rpc_response_status_code) (rate(rpc_server_call_duration_seconds_count{rpc_system_name=\"grpc\"}[5m]))",
    "sum by (rpc_method, rpc_response_status_code) (rate(rpc_client_call_duration_seconds_count{rpc_system_name=\"grpc\"}[5m]))",
    "histogram_quantile(0.95, sum by (le, rpc_method) (rate(rpc_server_call_duration_seconds_bucket[5m])))",
    "histogram_quantile(0.95, sum by (le, rpc_method) (rate(rpc_client_call_duration_seconds_bucket[5m])))",
    "sum by (rpc_method) (rate(rpc_server_call_duration_seconds_sum[5m]))
    / sum by (rpc_method) (rate(rpc_server_call_duration_seconds_count[5m]))",
    "sum by (error_type) (rate(rpc_server_call_duration_seconds_count{error_type!=\"\"}[5m]))",
    "sum(rate(rpc_server_call_duration_seconds_count{error_type!=\"\"}[5m]))
    / sum(rate(rpc_server_call_duration_seconds_count[5m]))",
    "sum(rate(rpc_client_call_duration_seconds_count{error_type!=\"\"}[5m]))
    / sum(rate(rpc_client_call_duration_seconds_count[5m]))",
];

const GRPC_A66: &[&str] = &[
    "sum by (grpc_method) (rate(grpc_server_call_started_total[5m]))",
    "sum by (grpc_method) (rate(grpc_client_attempt_started_total[5m]))",
    "sum by (grpc_method, grpc_status) (rate(grpc_server_call_duration_seconds_count[5m]))",
    "sum by (grpc_method, grpc_status) (rate(grpc_client_attempt_duration_seconds_count[5m]))",
    "histogram_quantile(0.95, sum by (le, grpc_method) (rate(grpc_server_call_duration_seconds_bucket[5m])))",
    "histogram_quantile(0.95, sum by (le, grpc_method) (rate(grpc_client_attempt_duration_seconds_bucket[5m])))",
    "histogram_quantile(0.95, sum by (le, grpc_method) (rate(grpc_client_call_duration_seconds_bucket[5m])))",
    "sum(rate(grpc_server_call_duration_seconds_count{grpc_status!=\"OK\"}[5m]))
    / sum(rate(grpc_server_call_duration_seconds_count[5m]))",
    "sum(rate(grpc_client_attempt_duration_seconds_count{grpc_status!=\"OK\"}[5m]))
    / sum(rate(grpc_client_attempt_duration_seconds_count[5m]))",
    "sum by (grpc_method) (rate(grpc_server_call_rcvd_total_compressed_message_size_bytes_sum[5m]))",
    "sum by (grpc_method) (rate(grpc_server_call_sent_total_compressed_message_size_bytes_sum[5m]))",
    "histogram_quantile(0.95, sum by (le, grpc_method) (rate(grpc_client_attempt_sent_total_compressed_message_size_bytes_bucket[5m])))",
    "histogram_quantile(0.95, sum by (le, grpc_method) (rate(grpc_client_attempt_rcvd_total_compressed_message_size_bytes_bucket[5m])))",
];

/// Waits until all methods that are called have a number, and one of them is above 0. What is never called has neither
/// a share nor a quantile: other paths, and methods that Nova's clients know but no service calls.
fn assert_has_data(prometheus: &Prometheus, of: &str, query: &str) {
    let is_of_clients = query.contains("grpc_client_") || query.contains("rpc_client_");
    let may_be_idle = |labels: &str| {
        is_of_clients || ["\"other\"", "\"_OTHER\""].iter().any(|other| labels.contains(other))
    };
    let has_number = |(labels, value): &(String, f64)| {
        value.is_finite() || (value.is_nan() && may_be_idle(labels))
    };
    let has_data = |samples: &Vec<(String, f64)>| {
        samples.iter().all(has_number) && samples.iter().any(|(_, value)| *value > 0.0)
    };
    println!("{of}: {query}");
    block_until(|| prometheus.query(query), has_data);
}

/// Nova under traffic and faults, and a Prometheus that scrapes it.
fn scraped(naming: &str) -> (Nova, Prometheus) {
    let nova = Nova::start(&["--fault-rate", "0.1", "--naming", naming]);
    let prometheus = Prometheus::start_with(env!("CARGO_TARGET_TMPDIR"), &nova.metrics, "");
    (nova, prometheus)
}

#[test]
#[ignore = "needs the prometheus and promtool programs"]
fn m1_queries_of_public_mixins_have_data_when_prometheus_scrapes_nova() {
    let (nova, prometheus) = scraped("go-grpc-prometheus");
    for (mixin, queries) in MIXINS {
        for query in *queries {
            assert_has_data(&prometheus, mixin, query);
        }
    }
    assert_eq!(nova.interrupt(), Some(0));
}

#[test]
#[ignore = "needs the prometheus and promtool programs"]
fn m1_queries_of_other_namings_have_data_when_prometheus_scrapes_nova() {
    for (naming, queries) in [("opentelemetry", OPEN_TELEMETRY), ("grpc-a66", GRPC_A66)] {
        let (nova, prometheus) = scraped(naming);
        for query in queries {
            assert_has_data(&prometheus, naming, query);
        }
        assert_eq!(nova.interrupt(), Some(0));
    }
}
