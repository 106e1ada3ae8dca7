//! Contract, section J: one request, from its client to a collector, and to the exemplar of its bucket. With
//! programs of others: the real Prometheus, and rotel, a collector.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use grpc_metrics_runtime::http;
use opentelemetry::trace::SpanId;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::Value;
use support::bed::Bed;
use support::clients::{self, Kind};
use support::prometheus::Prometheus;
use support::ran_alone;
use support::script::{fail, script, wait};
use support::wait::{block_until, until};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tonic::Code;
use traces::receiver::{Receiver, attribute};
use traces::{Caller, subscribe};

use crate::rotel::Rotel;

/// Sends spans to a collector from now on.
fn export_to(collector: SocketAddr) -> SdkTracerProvider {
    let exporter = SpanExporter::builder().with_tonic();
    let exporter = exporter.with_endpoint(format!("http://{collector}")).build().unwrap();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    subscribe(&provider);
    provider
}

/// The trace and span ids of the exemplars in the bucket up to this bound, with their values.
fn exemplars(prometheus: &Prometheus, le: &str) -> Vec<(String, String, f64)> {
    exemplars_of(prometheus, &format!("grpc_server_request_duration_seconds_bucket{{le=\"{le}\"}}"))
}

fn exemplars_of(prometheus: &Prometheus, query: &str) -> Vec<(String, String, f64)> {
    let parameters = [("query", query), ("start", "0"), ("end", "99999999999")];
    let answer = prometheus.get("/api/v1/query_exemplars", &parameters);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let series = answer["data"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let all = series.iter().flat_map(|series| series["exemplars"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    all.map(|exemplar| {
        let labels = &exemplar["labels"];
        let value = text(&exemplar["value"]).parse().unwrap();
        (text(&labels["trace_id"]), text(&labels["span_id"]), value)
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs prometheus"]
async fn j8_a_request_is_followed_from_its_client_to_prometheus() {
    if ran_alone!(j8_a_request_is_followed_from_its_client_to_prometheus) {
        return;
    }
    let receiver = Receiver::start().await;
    let provider = export_to(receiver.address());
    let bed = Bed::with(|builder| builder.buckets([0.05, 3600.0]).native_histograms()).await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(http::serve_registry(listener, &bed.registry).into_future());

    let caller = Caller::new(true);
    let request = caller.request(script([wait(60), fail(Code::Internal)], []));
    clients::call(&bed.channel, Kind::Unary, request).await;
    // Of another trace, which nobody keeps.
    let unsampled = Caller::new(false).request(script([wait(60)], []));
    clients::call(&bed.channel, Kind::Unary, unsampled).await;
    spawn_blocking(move || provider.force_flush()).await.unwrap().unwrap();

    let mut spans = until(|| receiver.spans(), |spans| !spans.is_empty()).await;
    assert_eq!(spans.len(), 1, "{spans:#?}");
    let span = spans.remove(0);
    assert_eq!(span.trace_id, caller.0.trace_id().to_bytes());
    assert_eq!(span.parent_span_id, caller.0.span_id().to_bytes());
    assert_eq!(attribute(&span, "rpc.response.status_code"), Some("INTERNAL"));

    let start = move || {
        let start = [Prometheus::start, Prometheus::start_native];
        start.map(|start| start(env!("CARGO_TARGET_TMPDIR"), &address))
    };
    let [prometheus, native] = spawn_blocking(start).await.unwrap();
    assert_eq!(exemplars(&prometheus, "0.05"), []);
    let found = exemplars(&prometheus, "3600.0");
    let [(trace, id, value)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(*trace, caller.0.trace_id().to_string());
    let span_id = SpanId::from_bytes(span.span_id[..].try_into().unwrap());
    assert_eq!(*id, span_id.to_string());
    let exemplar = traces::exemplars(&bed, Kind::Unary)[0];
    assert_eq!(value.to_bits(), exemplar.duration.to_bits());
    // N1: one that stores native histograms has it, too.
    assert_eq!(exemplars_of(&native, "grpc_server_request_duration_seconds"), found);
    assert_eq!(exemplars(&native, "3600.0"), []);
}

/// What Nova sends, as somebody else's collector reads it.
#[test]
#[ignore = "needs python3 and the PyPI package rotel"]
fn j8_a_collector_reads_novas_spans() {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rotel.log");
    let options = ["--exporter", "blackhole", "--debug-log", "traces"];
    let verbose = ["--debug-log-verbosity", "detailed"];
    let collector =
        Rotel::start("traces", File::create(&log).unwrap(), &[&options[..], &verbose].concat());

    let mut nova = support::nova::command();
    let output =
        nova.args(["--seconds", "2", "--otlp", &collector.grpc.to_string()]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{printed}");
    // `checked 42 methods, 281 calls, 9 given up, 120 between services: …`
    let checked = printed.lines().find(|line| line.starts_with("checked ")).unwrap();
    let numbers: Vec<usize> = checked.split(' ').filter_map(|word| word.parse().ok()).collect();
    let calls: usize = numbers[1..].iter().sum();

    let read = || std::fs::read_to_string(&log).unwrap();
    let servers = |log: &String| log.matches("SPAN_KIND_SERVER").count();
    let log = block_until(read, |log| servers(log) >= calls);
    assert_eq!(servers(&log), calls, "{printed}");
    let spans = log.split("\nSpan #").skip(1);
    let failed = spans.filter(|span| span.contains("rpc.response.status_code: Str(INTERNAL)"));
    let failed: Vec<_> = failed.collect();
    assert!(!failed.is_empty());
    for span in failed {
        assert!(span.contains("error.type: Str(INTERNAL)"), "{span}");
        assert!(span.contains("STATUS_CODE_ERROR"), "{span}");
        let parent = span.lines().find(|line| line.trim_start().starts_with("Parent ID")).unwrap();
        assert_ne!(parent.split(':').nth(1).map(str::trim), Some(""), "{span}");
    }
}
