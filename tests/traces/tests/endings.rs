//! Contract, section J: an RPC's span has the metric's code, and its trace is the caller's.

use std::time::Duration;

use opentelemetry::trace::{SpanKind, Status};
use support::bed::{Bed, own_metrics};
use support::clients::{self, Kind};
use support::codes::NAMES;
use support::faults::panic_id;
use support::pb::scripted_server::ScriptedServer;
use support::script::{Script, fail, gate, hang, panics, panics_in_drop, script, send};
use support::scripted::{SERVICE, Scripted};
use support::server::Server;
use support::stage::Stage;
use tonic::service::Routes;
use tonic::{Code, Request};
use traces::{Caller, exemplars, exporter, text};

async fn bed() -> Bed {
    exporter();
    Bed::new().await
}

fn name(code: Code) -> &'static str {
    NAMES[code as usize]
}

const FAULTS: [Code; 6] = [
    Code::Unknown,
    Code::DeadlineExceeded,
    Code::Unimplemented,
    Code::Internal,
    Code::Unavailable,
    Code::DataLoss,
];

/// Asserts that this caller's RPC has a span as OpenTelemetry's conventions want it, with this code.
async fn assert_span(caller: &Caller, kind: Kind, code: Code) {
    let span = caller.span().await;
    let method = format!("{SERVICE}/{}", kind.method());
    assert_eq!(span.name, method);
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(span.parent_span_id, caller.0.span_id());
    assert_eq!(text(&span, "rpc.method").as_ref(), Some(&method));
    assert_eq!(text(&span, "rpc.system.name").as_deref(), Some("grpc"));
    assert_eq!(text(&span, "rpc.response.status_code").as_deref(), Some(name(code)), "{kind:?}");
    let fault = FAULTS.contains(&code).then(|| name(code));
    assert_eq!(text(&span, "error.type").as_deref(), fault, "{kind:?}");
    let status = if fault.is_some() { Status::error("") } else { Status::Unset };
    assert_eq!(span.status, status, "{kind:?} {code:?}");
}

/// Calls to the end.
async fn call(bed: &Bed, kind: Kind, script: Script) -> Caller {
    let caller = Caller::new(true);
    clients::call(&bed.channel, kind, caller.request(script)).await;
    caller
}

#[tokio::test]
async fn j2_code_of_what_a_handler_returns() {
    let bed = bed().await;
    for kind in Kind::ALL {
        let caller = call(&bed, kind, script([], [])).await;
        assert_span(&caller, kind, Code::Ok).await;
        for code in (1..=16).map(Code::from) {
            let caller = call(&bed, kind, script([fail(code)], [])).await;
            assert_span(&caller, kind, code).await;
        }
    }
}

#[tokio::test]
async fn j2_code_of_a_status_that_says_ok_without_a_message() {
    let bed = bed().await;
    let caller = call(&bed, Kind::Unary, script([fail(Code::Ok)], [])).await;
    assert_span(&caller, Kind::Unary, Code::Internal).await;
}

#[tokio::test]
async fn j2_code_of_a_stream_that_fails_midway() {
    let bed = bed().await;
    for kind in Kind::STREAMS {
        let caller = call(&bed, kind, script([], [send(), fail(Code::DataLoss)])).await;
        assert_span(&caller, kind, Code::DataLoss).await;
    }
}

#[tokio::test]
async fn j2_code_of_what_is_cancelled() {
    let bed = bed().await;
    for (kind, n) in Kind::ALL.into_iter().zip(1..) {
        let caller = Caller::new(true);
        let running = bed.spawn_request(kind, caller.request(script([hang()], [])));
        bed.until_waiting(n).await;
        running.abort();
        assert_span(&caller, kind, Code::Cancelled).await;
    }
    for kind in Kind::STREAMS {
        let caller = Caller::new(true);
        let request = caller.request(script([], [send(), hang()]));
        let opened = clients::open(&bed.channel, kind, request).await;
        let mut stream = opened.unwrap().into_inner();
        stream.message().await.unwrap();
        assert_eq!(caller.spans(), [], "the stream goes on");
        drop(stream);
        assert_span(&caller, kind, Code::Cancelled).await;
    }
}

#[tokio::test]
async fn j2_code_of_what_is_out_of_time() {
    exporter();
    let (bed, time) = Bed::with_clock(|builder| builder).await;
    let timeout = Duration::from_secs(3600);
    for (kind, n) in Kind::ALL.into_iter().zip(1..) {
        let caller = Caller::new(true);
        let mut request = caller.request(script([hang()], []));
        request.set_timeout(timeout);
        let call = bed.spawn_request(kind, request);
        bed.until_waiting(n).await;
        time.increment(timeout);
        call.abort();
        assert_span(&caller, kind, Code::DeadlineExceeded).await;
    }
    for kind in Kind::STREAMS {
        let caller = Caller::new(true);
        let mut request = caller.request(script([], [send(), hang()]));
        request.set_timeout(timeout);
        let opened = clients::open(&bed.channel, kind, request).await;
        let mut stream = opened.unwrap().into_inner();
        stream.message().await.unwrap();
        time.increment(timeout);
        drop(stream);
        assert_span(&caller, kind, Code::DeadlineExceeded).await;
    }
}

#[tokio::test]
async fn j2_code_of_a_panic() {
    let bed = bed().await;
    for kind in Kind::ALL {
        let caller = call(&bed, kind, script([panics(panic_id())], [])).await;
        assert_span(&caller, kind, Code::Unknown).await;
    }
    for kind in Kind::STREAMS {
        let caller = call(&bed, kind, script([], [send(), panics(panic_id())])).await;
        assert_span(&caller, kind, Code::Unknown).await;
        let (caller, id) = (Caller::new(true), panic_id());
        let request = caller.request(script([], [send(), panics_in_drop(id), hang()]));
        let opened = clients::open(&bed.channel, kind, request).await;
        let mut stream = opened.unwrap().into_inner();
        stream.message().await.unwrap();
        bed.until_waiting(kind as usize - 1).await;
        drop(stream);
        assert_span(&caller, kind, Code::Unknown).await;
    }
}

#[tokio::test]
async fn j1_the_span_of_a_stream_ends_with_the_stream() {
    let bed = bed().await;
    for (kind, n) in Kind::STREAMS.into_iter().zip(1..) {
        let caller = Caller::new(true);
        let request = caller.request(script([], [send(), gate()]));
        let opened = clients::open(&bed.channel, kind, request).await;
        let mut stream = opened.unwrap().into_inner();
        stream.message().await.unwrap();
        bed.until_waiting(n).await;
        assert_eq!(caller.spans(), [], "the stream goes on");
        bed.stage.let_through(1);
        assert!(stream.message().await.unwrap().is_none());
        assert_span(&caller, kind, Code::Ok).await;
    }
}

/// As `fault_codes` has it, for spans as for objectives.
#[tokio::test]
async fn j2_the_setting_says_which_codes_are_the_servers_fault() {
    exporter();
    let bed = Bed::with(|builder| builder.fault_codes([Code::NotFound])).await;
    let caller = call(&bed, Kind::Unary, script([fail(Code::NotFound)], [])).await;
    let span = caller.span().await;
    assert_eq!(span.status, Status::error(""));
    assert_eq!(text(&span, "error.type").as_deref(), Some("NOT_FOUND"));
    let caller = call(&bed, Kind::Unary, script([fail(Code::Internal)], [])).await;
    let span = caller.span().await;
    assert_eq!(span.status, Status::Unset);
    assert_eq!(text(&span, "error.type"), None);
}

#[tokio::test]
async fn j6_a_bucket_has_the_trace_of_its_newest_sampled_rpc() {
    exporter();
    // One bucket for all.
    let bed = Bed::with(|builder| builder.buckets([3600.0])).await;
    for kind in Kind::ALL {
        for code in [Code::Ok, Code::NotFound, Code::Internal] {
            let steps = (code != Code::Ok).then(|| fail(code));
            let caller = call(&bed, kind, script(steps, [send()])).await;
            let span = caller.span().await;
            let [exemplar] = exemplars(&bed, kind)[..] else {
                panic!("not one exemplar: {:?}", exemplars(&bed, kind))
            };
            assert_eq!(exemplar.trace_id, caller.trace_id());
            let id = u64::from_be_bytes(span.span_context.span_id().to_bytes());
            assert_eq!(exemplar.span_id, id);
            assert_eq!(exemplar.code, code);
            assert!(exemplar.ended >= span.start_time, "{exemplar:?}");
        }
    }
}

/// The first RPC's duration is the whole sum, so the exemplar's is the metric's own.
#[tokio::test]
async fn j6_an_exemplar_tells_the_duration_that_the_metric_has() {
    let bed = bed().await;
    call(&bed, Kind::Unary, script([], [])).await.span().await;
    let snapshot = bed.metrics.snapshot();
    let method = snapshot.method(SERVICE, "Unary").unwrap();
    let [exemplar] = exemplars(&bed, Kind::Unary)[..] else { panic!("not one exemplar") };
    assert_eq!(exemplar.duration.to_bits(), method.duration_sum().to_bits());
    // In the bucket that has counted it.
    let place = method.exemplars().iter().position(Option::is_some);
    assert_eq!(place, method.durations().buckets().position(|(_, count)| count == 1));
}

#[tokio::test]
async fn j6_an_rpc_that_is_not_sampled_leaves_no_exemplar() {
    let bed = bed().await;
    let caller = Caller::new(false);
    clients::call(&bed.channel, Kind::Unary, caller.request(script([], []))).await;
    assert_eq!(exemplars(&bed, Kind::Unary), []);
    let sampled = call(&bed, Kind::Unary, script([], [])).await;
    clients::call(&bed.channel, Kind::Unary, caller.request(script([], []))).await;
    // It takes nothing away, either.
    let ids: Vec<_> = exemplars(&bed, Kind::Unary).iter().map(|of| of.trace_id).collect();
    assert_eq!(ids, [sampled.trace_id()]);
}

/// Nonsense is no parent, and no RPC's end.
#[tokio::test]
async fn j5_metadata_that_says_no_parent_fails_no_rpc() {
    let bed = bed().await;
    let caller = Caller::new(true);
    let good = caller.traceparent();
    let (trace, span) = (caller.0.trace_id(), caller.0.span_id());
    let long = "x".repeat(5_000);
    let zeros = "0".repeat(32);
    let nonsense: [&[u8]; 14] = [
        b"",
        b"-",
        b"00",
        b"00---",
        b"\xff\xfe\x80",
        "00-ä-ö-01".as_bytes(),
        long.as_bytes(),
        &good.as_bytes()[..good.len() - 1],
        &format!("ff-{trace}-{span}-01").into_bytes(),
        &format!("00-{zeros}-{span}-01").into_bytes(),
        &format!("00-{trace}-0000000000000000-01").into_bytes(),
        &format!("00-{trace}-{span}-zz").into_bytes(),
        &format!("00-{trace}x-{span}-01").into_bytes(),
        &format!("00_{trace}_{span}_01").into_bytes(),
    ];
    for value in nonsense {
        let mut request = Request::new(script([], []));
        let headers = request.metadata_mut();
        headers.insert("traceparent", tonic::metadata::MetadataValue::try_from(value).unwrap());
        headers.insert("tracestate", tonic::metadata::MetadataValue::try_from(value).unwrap());
        headers.insert("baggage", tonic::metadata::MetadataValue::try_from(value).unwrap());
        let seen = clients::call(&bed.channel, Kind::Unary, request).await;
        assert_eq!(seen.code(), Code::Ok, "{}", value.escape_ascii());
        assert_eq!(caller.spans(), [], "{}", value.escape_ascii());
    }
    // The same with what surrounds it being nonsense.
    let mut request = caller.request(script([], []));
    let long = long.parse().unwrap();
    request.metadata_mut().insert("tracestate", long);
    request
        .metadata_mut()
        .insert_bin("traceparent-bin", tonic::metadata::MetadataValue::from_bytes(&[0, 255]));
    assert_eq!(clients::call(&bed.channel, Kind::Unary, request).await.code(), Code::Ok);
    assert_span(&caller, Kind::Unary, Code::Ok).await;
}

/// Without a caller's, an RPC has a trace of its own.
#[tokio::test]
async fn j5_an_rpc_without_a_caller_begins_a_trace() {
    let bed = bed().await;
    bed.call(Kind::Unary, script([], [])).await;
    support::wait::until(|| exemplars(&bed, Kind::Unary).len(), |n| *n == 1).await;
    assert_ne!(exemplars(&bed, Kind::Unary)[0].trace_id, 0);
}

/// The layer sees the end of a response that is too large, and the handler's stream is dropped after that.
#[tokio::test]
async fn j2_code_of_a_message_that_the_layer_sees_fail() {
    exporter();
    let (_registry, metrics) = own_metrics(|builder| builder);
    let service = Scripted { metrics: metrics.clone(), stage: Stage::default() };
    // A reply is two bytes.
    let service = ScriptedServer::new(service).max_encoding_message_size(1);
    let server = Server::start_layered(metrics.server_layer(), Routes::new(service)).await;
    let channel = server.connect().await;
    for kind in [Kind::Unary, Kind::Watch] {
        let caller = Caller::new(true);
        let request = caller.request(script([], [send()]));
        let seen = clients::call(&channel, kind, request).await;
        assert_eq!(seen.code(), Code::OutOfRange);
        assert_span(&caller, kind, Code::OutOfRange).await;
    }
}
