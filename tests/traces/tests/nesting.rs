//! Contract, section J: what a handler and its stream do is inside the RPC's span.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use grpc_metrics_runtime::{GrpcStatus, instrument_grpc};
use opentelemetry::Context as TraceContext;
use opentelemetry::trace::{SpanId, TraceContextExt};
use opentelemetry_sdk::trace::SpanData;
use support::server::Server;
use support::shapes::pb::plain_server::Plain;
use support::shapes::pb::shapes_client::ShapesClient;
use support::shapes::pb::shapes_server::{Shapes, ShapesServer};
use support::shapes::pb::{Answer, Ask};
use tokio::task::yield_now;
use tokio_stream::Stream;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};
use traces::{Caller, exporter, text};
use tracing::{Instrument, info, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Says so when it is dropped.
struct Dropped(&'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        info!("{} is dropped", self.0);
    }
}

/// Says so when it is polled. Has as many messages as asked for, and then hangs.
struct Talking {
    left: u32,
    _dropped: Dropped,
}

impl Stream for Talking {
    type Item = Result<Answer, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        info!("the stream is polled");
        if self.left == 0 {
            return Poll::Pending;
        }
        self.left -= 1;
        Poll::Ready(Some(Ok(Answer { number: self.left })))
    }
}

struct Service;

#[instrument_grpc(service = "nesting.Shapes")]
#[tonic::async_trait]
impl Shapes for Service {
    #[tracing::instrument(skip_all, fields(asked = request.get_ref().count))]
    async fn one(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        info!("the handler runs");
        yield_now().await;
        async { info!("deep inside") }.instrument(info_span!("inner")).await;
        Ok(Response::new(Answer { number: request.get_ref().count }))
    }

    async fn upload(&self, _: Request<Streaming<Ask>>) -> Result<Response<Answer>, Status> {
        let _dropped = Dropped("the handler");
        info!("the handler runs");
        yield_now().await;
        info!("the handler goes on");
        std::future::pending().await
    }

    type WatchStream = Talking;

    async fn watch(&self, request: Request<Ask>) -> Result<Response<Talking>, Status> {
        let left = request.get_ref().count;
        Ok(Response::new(Talking { left, _dropped: Dropped("the stream") }))
    }

    type ChatStream = tokio_stream::Empty<Result<Answer, Status>>;

    #[rpc(span = false)]
    async fn chat(&self, _: Request<Streaming<Ask>>) -> Result<Response<Self::ChatStream>, Status> {
        info!("no span around");
        info_span!("the handler's own").in_scope(|| ());
        Ok(Response::new(tokio_stream::empty()))
    }
}

#[derive(Debug, GrpcStatus, thiserror::Error)]
#[error("it is gone")]
#[status(NotFound, cause = "missing")]
struct Missing;

struct OwnError;

#[instrument_grpc(service = "nesting.OwnError")]
#[tonic::async_trait]
impl Plain for OwnError {
    #[tracing::instrument(skip_all, err)]
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Missing> {
        if request.get_ref().count == 0 {
            return Err(Missing);
        }
        Ok(Response::new(Answer { number: 1 }))
    }

    #[cfg_attr(all(), tracing::instrument(name = "other", skip_all, err))]
    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Missing> {
        Err(Missing)?
    }
}

async fn client() -> (ShapesClient<Channel>, Server) {
    exporter();
    let server = Server::start(Routes::new(ShapesServer::new(Service))).await;
    (ShapesClient::new(server.connect().await), server)
}

fn events(span: &SpanData) -> Vec<&str> {
    span.events.iter().map(|event| event.name.as_ref()).collect()
}

fn named<'a>(spans: &'a [SpanData], name: &str) -> &'a SpanData {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name}: {spans:#?}"))
}

#[tokio::test]
async fn j3_a_handlers_own_spans_are_inside() {
    let (mut client, _server) = client().await;
    let caller = Caller::new(true);
    client.one(caller.request(Ask { count: 7, ..Ask::default() })).await.unwrap();
    let rpc = caller.span().await;
    let spans = caller.spans();
    let (handler, inner) = (named(&spans, "one"), named(&spans, "inner"));
    assert_eq!(handler.parent_span_id, rpc.span_context.span_id());
    assert_eq!(inner.parent_span_id, handler.span_context.span_id());
    assert_eq!((events(&rpc), events(handler)), (vec![], vec!["the handler runs"]));
    assert_eq!(events(inner), ["deep inside"]);
    assert!(handler.attributes.iter().any(|field| field.key.as_str() == "asked"));
    assert_eq!(spans.len(), 3, "{spans:#?}");
}

/// What `err` logs is the handler's own error, in the handler's own span.
#[tokio::test]
async fn j3_a_traced_handler_may_have_an_error_of_its_own() {
    exporter();
    let caller = Caller::new(true);
    let status = OwnError.first(caller.request(Ask::default())).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let rpc = caller.span().await;
    assert_eq!(text(&rpc, "error.cause").as_deref(), Some("missing"));
    assert_eq!(text(&rpc, "rpc.response.status_code").as_deref(), Some("NOT_FOUND"));
    assert_eq!(text(&rpc, "error.type"), None, "no fault of the server");
    let spans = caller.spans();
    let handler = named(&spans, "first");
    assert_eq!(handler.parent_span_id, rpc.span_context.span_id());
    assert!(format!("{:?}", handler.events).contains("it is gone"), "{handler:#?}");
}

/// On every poll of the handler, and when it is dropped.
#[tokio::test]
async fn j3_what_a_handler_says_is_the_spans() {
    let (mut client, _server) = client().await;
    let caller = Caller::new(true);
    let request = caller.request(tokio_stream::pending());
    let call = tokio::spawn(async move { client.upload(request).await });
    support::wait::until_eq(
        || {
            let snapshot = grpc_metrics_runtime::GrpcMetrics::global().snapshot();
            snapshot.method("nesting.Shapes", "Upload").unwrap().in_flight()
        },
        1,
    )
    .await;
    call.abort();
    let rpc = caller.span().await;
    assert_eq!(events(&rpc).first(), Some(&"the handler runs"));
    assert_eq!(events(&rpc).last(), Some(&"the handler is dropped"));
}

/// A span that its thread never leaves is around whatever that does next.
#[tokio::test]
async fn j3_a_handler_that_is_dropped_takes_its_span_along() {
    exporter();
    let caller = Caller::new(true);
    let mut running = Service.one(caller.request(Ask::default()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(running.as_mut().poll(&mut context).is_pending());
    let is_inside = || TraceContext::current().span().span_context().is_valid();
    assert!(!is_inside());
    drop(running);
    assert!(!is_inside());
    let span = caller.span().await;
    assert_eq!(text(&span, "rpc.response.status_code").as_deref(), Some("CANCELLED"));
}

/// On every poll of the stream, and when it is dropped.
#[tokio::test]
async fn j3_what_a_stream_says_is_the_spans() {
    let (mut client, _server) = client().await;
    let caller = Caller::new(true);
    let answer = client.watch(caller.request(Ask { count: 2, ..Ask::default() })).await;
    let mut stream = answer.unwrap().into_inner();
    stream.message().await.unwrap();
    stream.message().await.unwrap();
    drop(stream);
    let rpc = caller.span().await;
    let said = events(&rpc);
    assert!(said.len() >= 4, "{said:?}");
    let (dropped, polled) = said.split_last().unwrap();
    assert_eq!(*dropped, "the stream is dropped");
    assert!(polled.iter().all(|said| *said == "the stream is polled"), "{said:?}");
}

#[tokio::test]
async fn j4_a_method_without_a_span() {
    let (mut client, _server) = client().await;
    let caller = Caller::new(true);
    let asks = caller.request(tokio_stream::iter([Ask::default()]));
    let mut stream = client.chat(asks).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_none());
    // One that has a span, and ends after the other.
    client.one(caller.request(Ask::default())).await.unwrap();
    assert_eq!(caller.span().await.name, "nesting.Shapes/One");
    assert_eq!(caller.spans().len(), 3);
}

/// However the attribute is written.
#[tokio::test]
async fn j3_a_span_under_cfg_attr_is_inside() {
    exporter();
    let caller = Caller::new(true);
    OwnError.second(caller.request(Ask::default())).await.unwrap_err();
    let rpc = caller.span().await;
    let spans = caller.spans();
    assert_eq!(named(&spans, "other").parent_span_id, rpc.span_context.span_id());
}

/// A client's, or that of a layer which has read the same metadata.
#[tokio::test]
async fn j5_a_surrounding_span_of_the_callers_trace_stays_the_parent() {
    exporter();
    let caller = Caller::new(true);
    let layer = info_span!("layer");
    let context = TraceContext::new().with_remote_span_context(caller.0.clone());
    layer.set_parent(context).unwrap();
    let id = layer.context().span().span_context().span_id();
    Service.one(caller.request(Ask::default())).instrument(layer).await.unwrap();
    assert_eq!(caller.span().await.parent_span_id, id);
}

/// The caller's trace goes before one that was begun on the way.
#[tokio::test]
async fn j5_a_surrounding_span_of_another_trace_does_not() {
    exporter();
    let caller = Caller::new(true);
    Service.one(caller.request(Ask::default())).instrument(info_span!("layer")).await.unwrap();
    assert_eq!(caller.span().await.parent_span_id, caller.0.span_id());
}

#[tokio::test]
async fn j5_without_a_caller_the_surrounding_span_is_the_parent() {
    exporter();
    let caller = Caller::new(true);
    let around = info_span!("around");
    around.set_parent(TraceContext::new().with_remote_span_context(caller.0.clone())).unwrap();
    let id = around.context().span().span_context().span_id();
    Service.one(Request::new(Ask::default())).instrument(around).await.unwrap();
    assert_eq!(caller.span().await.parent_span_id, id);
    assert_ne!(id, SpanId::INVALID);
}

/// B10 for spans.
#[tokio::test]
async fn j1_what_is_never_polled_has_no_span() {
    exporter();
    let caller = Caller::new(true);
    drop(Service.one(caller.request(Ask::default())));
    let mut polled = Service.one(caller.request(Ask { count: 1, ..Ask::default() }));
    let mut context = Context::from_waker(Waker::noop());
    while polled.as_mut().poll(&mut context).is_pending() {}
    let span = caller.span().await;
    assert_eq!(text(&span, "rpc.response.status_code").as_deref(), Some("OK"));
}
