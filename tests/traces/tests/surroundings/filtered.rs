//! What is left of the caller's trace where a filter takes the RPC's span away.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use grpc_metrics_runtime::instrument_grpc;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::{SpanId, TraceContextExt, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SpanData;
use support::ran_alone;
use support::shapes::pb::plain_server::Plain;
use support::shapes::pb::shapes_server::Shapes;
use support::shapes::pb::{Answer, Ask};
use tokio::task::yield_now;
use tokio_stream::{Empty, Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};
use traces::Caller;
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{error_span, info_span, level_filters::LevelFilter};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry;

use super::{Events, Spans, ask};

/// Makes a span of its own.
fn span(name: &'static str) {
    info_span!("own", otel.name = name).in_scope(|| ());
}

/// Makes a span whenever it is polled, and when it is dropped.
struct Traced {
    left: u32,
}

impl Stream for Traced {
    type Item = Result<Answer, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        span("polled");
        let Some(left) = self.left.checked_sub(1) else { return Poll::Ready(None) };
        self.left = left;
        Poll::Ready(Some(Ok(Answer { number: left })))
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        span("dropped");
    }
}

struct Service;

#[instrument_grpc(service = "surroundings.Filtered")]
#[tonic::async_trait]
impl Shapes for Service {
    async fn one(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        span("before");
        yield_now().await;
        span("after");
        let current = Context::current();
        let is_blue = current.baggage().get("tenant").is_some_and(|name| name.as_str() == "blue");
        Ok(Response::new(Answer { number: u32::from(is_blue) }))
    }

    async fn upload(&self, _: Request<Streaming<Ask>>) -> Result<Response<Answer>, Status> {
        Err(Status::unimplemented("not here"))
    }

    type WatchStream = Traced;

    async fn watch(&self, request: Request<Ask>) -> Result<Response<Traced>, Status> {
        Ok(Response::new(Traced { left: request.get_ref().count }))
    }

    type ChatStream = Empty<Result<Answer, Status>>;

    async fn chat(&self, _: Request<Streaming<Ask>>) -> Result<Response<Self::ChatStream>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

#[derive(Clone, Copy, Debug)]
enum Filter {
    /// The RPC's span is for nobody.
    Global,
    /// The RPC's span is for others than OpenTelemetry.
    OfOpenTelemetry,
    None,
}

impl Spans {
    fn subscribe_with(&self, filter: Filter) -> DefaultGuard {
        let own = Targets::new().with_target("traces::surroundings", LevelFilter::INFO);
        let others = Events::default().with_filter(LevelFilter::INFO);
        // Each is a layer of its own type.
        match filter {
            Filter::Global => {
                let layer = tracing_opentelemetry::layer().with_tracer(self.tracer());
                set_default(registry().with(own).with(layer))
            }
            Filter::OfOpenTelemetry => {
                let layer = tracing_opentelemetry::layer().with_tracer(self.tracer());
                set_default(registry().with(layer.with_filter(own)).with(others))
            }
            Filter::None => self.subscribe(),
        }
    }

    fn own(&self) -> Vec<SpanData> {
        let mut spans = self.exporter.get_finished_spans().unwrap();
        spans.retain(|span| !span.name.starts_with("surroundings."));
        spans
    }
}

fn is_restored() -> bool {
    !Context::current().span().span_context().is_valid() && Context::current().baggage().is_empty()
}

#[tokio::test]
async fn j9_a_handlers_own_spans_are_the_callers() {
    for filter in [Filter::Global, Filter::OfOpenTelemetry] {
        let spans = Spans::new();
        let _guard = spans.subscribe_with(filter);
        let caller = Caller::new(true);
        let request = caller.request(Ask::default());
        Service.one(request).await.unwrap();
        assert!(is_restored(), "{filter:?}");
        assert!(spans.rpc().is_none(), "{filter:?}");
        let own = spans.own();
        assert_eq!(own.len(), 2, "{filter:?}: {own:#?}");
        for span in own {
            assert_eq!(span.parent_span_id, caller.0.span_id(), "{filter:?}");
            assert_eq!(span.span_context.trace_id(), caller.0.trace_id(), "{filter:?}");
        }
    }
}

#[tokio::test]
async fn j9_a_streams_own_spans_are_the_callers() {
    for filter in [Filter::Global, Filter::OfOpenTelemetry] {
        let spans = Spans::new();
        let _guard = spans.subscribe_with(filter);
        let caller = Caller::new(true);
        let request = caller.request(Ask { count: 2, ..Ask::default() });
        let mut stream = Service.watch(request).await.unwrap().into_inner();
        stream.next().await.unwrap().unwrap();
        assert!(is_restored(), "{filter:?}");
        drop(stream);
        assert!(is_restored(), "{filter:?}");
        let own = spans.own();
        assert_eq!(own.len(), 2, "{filter:?}: {own:#?}");
        let of_the_caller = |span: &SpanData| span.parent_span_id == caller.0.span_id();
        assert!(own.iter().all(of_the_caller), "{filter:?}: {own:#?}");
    }
}

/// A caller that has not sampled its trace wants no part of it recorded.
#[tokio::test]
async fn j9_what_the_caller_has_not_sampled_is_not() {
    for filter in [Filter::Global, Filter::OfOpenTelemetry] {
        let spans = Spans::new();
        let _guard = spans.subscribe_with(filter);
        Service.one(Caller::new(false).request(Ask::default())).await.unwrap();
        assert_eq!(spans.own(), [], "{filter:?}");
    }
}

/// Handlers that take turns on one thread keep to their own callers.
#[tokio::test]
async fn j9_rpcs_that_take_turns_do_not_mix_their_callers() {
    let spans = Spans::new();
    let _guard = spans.subscribe_with(Filter::Global);
    let callers = [(); 3].map(|()| Caller::new(true));
    let [a, b, c] = &callers;
    let call = |caller: &Caller| Service.one(caller.request(Ask::default()));
    let (a, b, c) = tokio::join!(call(a), call(b), call(c));
    for answer in [a, b, c] {
        answer.unwrap();
    }
    assert!(is_restored());
    for caller in callers {
        let own = spans.own();
        let of_it = own.iter().filter(|span| span.parent_span_id == caller.0.span_id());
        assert_eq!(of_it.count(), 2);
    }
}

/// A span that a layer has opened in the caller's trace stays the parent.
#[tokio::test]
async fn j9_a_surrounding_span_of_the_trace_stays_around() {
    let spans = Spans::new();
    let _guard = spans.subscribe_with(Filter::Global);
    let caller = Caller::new(true);
    let provider = spans.provider.clone();
    let layer = {
        use opentelemetry::trace::Tracer;
        provider.tracer("layer").start_with_context("layer", &super::remote(&caller))
    };
    let context = Context::new().with_span(layer);
    let id = context.span().span_context().span_id();
    let request = caller.request(Ask::default());
    Service.one(request).with_context(context).await.unwrap();
    let own = spans.own();
    let parents: Vec<_> = own.iter().filter(|span| span.name != "layer").collect();
    assert_eq!(parents.len(), 2, "{own:#?}");
    assert!(parents.iter().all(|span| span.parent_span_id == id), "{own:#?}");
}

/// W3C Baggage is a header of its own, and needs no trace.
#[tokio::test]
async fn j5_baggage_without_a_trace_is_kept() {
    for filter in [Filter::Global, Filter::OfOpenTelemetry, Filter::None] {
        for traceparent in [None, Some("nonsense")] {
            let spans = Spans::new();
            let _guard = spans.subscribe_with(filter);
            let mut request = ask();
            request.metadata_mut().insert("baggage", "tenant=blue".parse().unwrap());
            if let Some(traceparent) = traceparent {
                request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
            }
            let answer = Service.one(request).await.unwrap();
            assert_eq!(answer.into_inner().number, 1, "{filter:?}, {traceparent:?}");
            assert!(is_restored());
            let own = spans.own();
            assert_eq!(own.len(), 2, "{filter:?}: {own:#?}");
            let is_root = |span: &SpanData| span.parent_span_id == SpanId::INVALID;
            let rpc = spans.rpc();
            assert_eq!(rpc.is_some(), matches!(filter, Filter::None));
            assert_eq!(own.iter().all(is_root), rpc.is_none(), "{filter:?}: {own:#?}");
            assert!(rpc.iter().all(is_root));
        }
    }
}

/// A filter that lets nothing of the RPC's level through lets graver spans through. Alone, since no subscriber of
/// another thread may let more through.
#[tokio::test]
async fn j9_a_handlers_own_spans_are_the_callers_where_only_graver_ones_are_wanted() {
    if ran_alone!(j9_a_handlers_own_spans_are_the_callers_where_only_graver_ones_are_wanted) {
        return;
    }
    let spans = Spans::new();
    for level in [LevelFilter::WARN, LevelFilter::ERROR] {
        let layer = tracing_opentelemetry::layer().with_tracer(spans.tracer());
        let _guard = set_default(registry().with(level).with(layer));
        let caller = Caller::new(true);
        let current = Graver.first(caller.request(Ask::default())).await;
        assert_eq!(current.unwrap().into_inner().number, 1, "{level}");
        assert!(is_restored(), "{level}");
        let own = spans.own();
        let of_the_caller = |span: &&SpanData| span.parent_span_id == caller.0.span_id();
        assert_eq!(own.iter().filter(of_the_caller).count(), 1, "{level}: {own:#?}");
    }
}

struct Graver;

#[instrument_grpc(service = "surroundings.Graver")]
#[tonic::async_trait]
impl Plain for Graver {
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        error_span!("own").in_scope(|| ());
        let is_in_a_trace = Context::current().span().span_context().is_valid();
        Ok(Response::new(Answer { number: u32::from(is_in_a_trace) }))
    }

    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

/// What a layer has put into the context, which the handler reads.
struct Tenant(u32);

struct Reading;

#[instrument_grpc(service = "surroundings.Reading")]
#[tonic::async_trait]
impl Plain for Reading {
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        let current = Context::current();
        let number = current.get::<Tenant>().map_or(0, |tenant| tenant.0);
        let has_baggage = current.baggage().get("layer").is_some();
        Ok(Response::new(Answer { number: number + u32::from(has_baggage) }))
    }

    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

#[tokio::test]
async fn j5_what_else_a_layer_has_put_into_the_context_stays() {
    for filter in [Filter::Global, Filter::OfOpenTelemetry, Filter::None] {
        for (header, value, number) in [
            ("x-other", "1".to_owned(), 8),
            ("traceparent", Caller::new(true).traceparent(), 8),
            ("baggage", "nonsense".to_owned(), 8),
            // It comes in the place of the layer's.
            ("baggage", "tenant=blue".to_owned(), 7),
        ] {
            let spans = Spans::new();
            let _guard = spans.subscribe_with(filter);
            let context = Context::new().with_value(Tenant(7));
            let context = context.with_baggage([KeyValue::new("layer", "1")]);
            let mut request = ask();
            request.metadata_mut().insert(header, value.parse().unwrap());
            let answer = async { Reading.first(request).await }.with_context(context).await;
            assert_eq!(answer.unwrap().into_inner().number, number, "{filter:?}, {header}");
            assert!(is_restored(), "{filter:?}, {header}");
        }
    }
}
