//! Contract, L7: a call's span, and the trace that goes out with it.

use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::{SpanId, SpanKind, Status, TraceContextExt};
use opentelemetry_sdk::trace::SpanData;
use support::bed::Bed;
use support::codes::NAMES;
use support::pb::measured;
use support::pb::scripted_client::ScriptedClient;
use support::script::{fail, script, send};
use support::scripted::SERVICE;
use support::wait::until;
use tonic::{Code, Request};
use tower_layer::Layer as _;
use traces::{Caller, exporter, text};
use tracing::subscriber::NoSubscriber;

/// The spans of a call and of its RPC at the server, once both have ended.
async fn both(caller: &Caller) -> [SpanData; 2] {
    let spans = until(|| caller.spans(), |spans| spans.len() == 2).await;
    let of = |kind| spans.iter().find(|span| span.span_kind == kind).cloned();
    [of(SpanKind::Client).expect("a call"), of(SpanKind::Server).expect("an RPC")]
}

/// Asserts that the call is the caller's child, and the server's RPC the call's.
async fn assert_spans(caller: &Caller, method: &str, code: Code) {
    let [call, rpc] = both(caller).await;
    assert_eq!(call.parent_span_id, caller.0.span_id());
    assert_eq!(rpc.parent_span_id, call.span_context.span_id());
    assert_eq!(call.name, format!("{SERVICE}/{method}"));
    let name = NAMES[code as usize];
    assert_eq!(text(&call, "rpc.response.status_code").as_deref(), Some(name));
    // To the caller, every code but OK is an error.
    let error = (code != Code::Ok).then_some(name);
    assert_eq!(text(&call, "error.type").as_deref(), error);
    let status = if error.is_some() { Status::error("") } else { Status::Unset };
    assert_eq!(call.status, status);
}

fn around(caller: &Caller) -> Context {
    Context::new().with_remote_span_context(caller.0.clone())
}

#[tokio::test]
async fn l7_a_call_is_between_its_caller_and_the_server() {
    exporter();
    let bed = Bed::new().await;
    let mut generated = measured::scripted_client::ScriptedClient::new(bed.channel.clone());
    let layered = bed.metrics.client_layer().layer(bed.channel.clone());
    let mut layered = ScriptedClient::new(layered);
    for code in [Code::Ok, Code::NotFound, Code::Internal] {
        let steps = || match code {
            Code::Ok => script([], []),
            code => script([fail(code)], []),
        };
        let caller = Caller::new(true);
        let _ = generated.unary(steps()).with_context(around(&caller)).await;
        assert_spans(&caller, "Unary", code).await;
        let caller = Caller::new(true);
        let _ = layered.unary(steps()).with_context(around(&caller)).await;
        assert_spans(&caller, "Unary", code).await;
    }
}

#[tokio::test]
async fn l7_a_span_lasts_until_its_stream_has_ended() {
    exporter();
    let bed = Bed::new().await;
    let mut client = measured::scripted_client::ScriptedClient::new(bed.channel.clone());
    let caller = Caller::new(true);
    let steps = script([], [send(), fail(Code::Aborted)]);
    let replies = client.watch(steps).with_context(around(&caller)).await;
    let mut replies = replies.expect("a stream").into_inner();
    replies.message().await.expect("a message");
    replies.message().await.expect_err("a failure");
    assert_spans(&caller, "Watch", Code::Aborted).await;
}

/// The span is nobody's, but the trace goes on.
#[tokio::test]
async fn l7_without_a_span_the_surrounding_trace_goes_out() {
    exporter();
    let bed = Bed::new().await;
    let mut client = measured::scripted_client::ScriptedClient::new(bed.channel.clone());
    let caller = Caller::new(true);
    let quiet = tracing::subscriber::set_default(NoSubscriber::new());
    client.unary(script([], [])).with_context(around(&caller)).await.expect("it answers");
    drop(quiet);
    assert_eq!(caller.span().await.parent_span_id, caller.0.span_id());
}

#[tokio::test]
async fn l7_outside_of_a_trace_a_call_begins_one() {
    let spans = exporter();
    let bed = Bed::new().await;
    let mut client = measured::scripted_client::ScriptedClient::new(bed.channel.clone());
    client.upload(Request::new(tokio_stream::iter([script([], [])]))).await.expect("it answers");
    let call = || {
        let spans = spans.get_finished_spans().expect("it runs");
        let name = format!("{SERVICE}/Upload");
        let is_call = |span: &SpanData| span.span_kind == SpanKind::Client && span.name == name;
        spans.into_iter().find(is_call)
    };
    let call = until(call, Option::is_some).await.expect("it has come");
    assert_eq!(call.parent_span_id, SpanId::INVALID);
    let rpcs = || {
        let spans = spans.get_finished_spans().expect("it runs");
        let of_call = |span: &SpanData| span.parent_span_id == call.span_context.span_id();
        spans.into_iter().filter(of_call).count()
    };
    until(rpcs, |rpcs| *rpcs == 1).await;
}
