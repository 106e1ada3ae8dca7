//! Contract, section J: spans among what else a program does with `tracing` and OpenTelemetry. Handlers are called
//! directly, each test under a subscriber of its own.

mod filtered;
mod panics;

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use grpc_metrics_runtime::{GrpcMetrics, instrument_grpc};
use opentelemetry::context::FutureExt;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{
    Extractor, Injector, TextMapCompositePropagator, TextMapPropagator,
};
use opentelemetry::trace::{SpanId, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, global};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracer, SdkTracerProvider, SpanData};
use support::shapes::pb::plain_server::Plain;
use support::shapes::pb::{Answer, Ask};
use tonic::{Code, Request, Response, Status};
use traces::Caller;
use tracing::span::{Attributes, Id};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{Event, Instrument, Subscriber, debug_span, info, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};
use tracing_subscriber::registry;

type Boxed<'a> = Pin<Box<dyn Future<Output = Result<Response<Answer>, Status>> + Send + 'a>>;

struct Service;

#[instrument_grpc(service = "surroundings.Plain")]
#[tonic::async_trait]
impl Plain for Service {
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Ok(Response::new(Answer { number: 1 }))
    }

    fn second<'life0, 'async_trait>(&'life0 self, request: Request<Ask>) -> Boxed<'async_trait>
    where
        'life0: 'async_trait,
    {
        info!("before the future");
        if request.get_ref().count == 1 {
            return Box::pin(std::future::pending());
        }
        Box::pin(async move { Ok(Response::new(Answer { number: 2 })) })
    }
}

/// OpenTelemetry's spans of this thread.
struct Spans {
    exporter: InMemorySpanExporter,
    provider: SdkTracerProvider,
}

impl Spans {
    fn new() -> Self {
        global::set_text_map_propagator(Careful(TextMapCompositePropagator::new(vec![
            Box::new(TraceContextPropagator::new()),
            Box::new(BaggagePropagator::new()),
        ])));
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        Self { exporter, provider }
    }

    fn tracer(&self) -> SdkTracer {
        self.provider.tracer("tests")
    }

    /// For this thread.
    fn subscribe(&self) -> DefaultGuard {
        let layer = tracing_opentelemetry::layer().with_tracer(self.tracer());
        set_default(registry().with(layer))
    }

    fn rpc(&self) -> Option<SpanData> {
        let spans = self.exporter.get_finished_spans().unwrap();
        spans.into_iter().find(|span| span.name.starts_with("surroundings."))
    }
}

/// Panics where a header asks for it.
#[derive(Debug)]
struct Careful(TextMapCompositePropagator);

impl TextMapPropagator for Careful {
    fn inject_context(&self, _: &Context, _: &mut dyn Injector) {}

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        assert!(extractor.get("x-panic").is_none(), "asked for");
        self.0.extract_with_context(context, extractor)
    }

    fn fields(&self) -> FieldIter<'_> {
        self.0.fields()
    }
}

fn ask() -> Request<Ask> {
    Request::new(Ask::default())
}

fn remote(caller: &Caller) -> Context {
    Context::new().with_remote_span_context(caller.0.clone())
}

#[tokio::test]
async fn j1_a_filter_finds_the_span_by_its_name_and_fields() {
    for by_name in [true, false] {
        let spans = Spans::new();
        let layer = tracing_opentelemetry::layer().with_tracer(spans.tracer());
        let filter = filter_fn(move |metadata| {
            if by_name {
                metadata.name() == "rpc"
            } else {
                metadata.fields().field("rpc.method").is_some()
            }
        });
        let _guard = set_default(registry().with(layer.with_filter(filter)));
        Service.first(ask()).await.unwrap();
        assert!(spans.rpc().is_some(), "by name: {by_name}");
    }
}

#[derive(Clone, Default)]
struct Events(Arc<Mutex<usize>>);

impl<S: Subscriber> Layer<S> for Events {
    fn on_event(&self, _: &Event<'_>, _: LayerContext<'_, S>) {
        *self.0.lock().unwrap() += 1;
    }
}

/// Where one layer wants the span and another does not, the other's events are its own all the same.
#[tokio::test]
async fn j3_a_span_that_a_layer_does_not_want_costs_it_no_event() {
    let (events, others) = (Events::default(), Events::default());
    let own = Targets::new().with_target("traces::surroundings", LevelFilter::INFO);
    let layers = registry()
        .with(events.clone().with_filter(own))
        .with(others.with_filter(LevelFilter::INFO));
    let _guard = set_default(layers);
    for n in 1..4 {
        Service.second(ask()).await.unwrap();
        assert_eq!(*events.0.lock().unwrap(), n);
    }
    drop(Service.first(ask()));
    info!("after one that was never polled");
    assert_eq!(*events.0.lock().unwrap(), 4);
}

/// What a layer of OpenTelemetry's own API has begun.
#[tokio::test]
async fn j5_a_surrounding_span_of_opentelemetry_itself_stays_the_parent() {
    let spans = Spans::new();
    let _guard = spans.subscribe();
    let caller = Caller::new(true);
    let span = spans.tracer().start_with_context("layer", &remote(&caller));
    let context = Context::new().with_span(span);
    let id = context.span().span_context().span_id();
    Service.first(caller.request(Ask::default())).with_context(context).await.unwrap();
    assert_eq!(spans.rpc().unwrap().parent_span_id, id);
}

#[tokio::test]
async fn j5_a_surrounding_span_stays_the_parent_with_one_between_that_is_not_traced() {
    let spans = Spans::new();
    let layer = tracing_opentelemetry::layer().with_tracer(spans.tracer());
    let layers = registry()
        .with(layer.with_filter(LevelFilter::INFO))
        .with(Events::default().with_filter(LevelFilter::TRACE));
    let _guard = set_default(layers);
    let caller = Caller::new(true);
    let outer = info_span!("outer");
    outer.set_parent(remote(&caller)).unwrap();
    let id = outer.context().span().span_context().span_id();
    let request = caller.request(Ask::default());
    let inner = async { Service.first(request).instrument(debug_span!("between")).await };
    inner.instrument(outer).await.unwrap();
    assert_eq!(spans.rpc().unwrap().parent_span_id, id);
}

#[tokio::test]
async fn j5_the_surrounding_span_is_that_of_the_first_poll() {
    let spans = Spans::new();
    let _guard = spans.subscribe();
    let created = info_span!("created").in_scope(|| Service.first(ask()));
    created.await.unwrap();
    assert_eq!(spans.rpc().unwrap().parent_span_id, SpanId::INVALID);
}

#[tokio::test]
async fn j5_a_propagator_that_panics_fails_no_rpc() {
    let spans = Spans::new();
    let _guard = spans.subscribe();
    let mut request = ask();
    request.metadata_mut().insert("x-panic", "now".parse().unwrap());
    Service.first(request).await.unwrap();
    assert!(spans.rpc().is_some());
}

struct Refusing;

impl<S: Subscriber> Layer<S> for Refusing {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: LayerContext<'_, S>) {
        assert_ne!(attributes.metadata().name(), "rpc", "asked for");
    }
}

#[instrument_grpc(service = "surroundings.Refused", span = true)]
#[tonic::async_trait]
impl Plain for Refusing {
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Ok(Response::new(Answer { number: 1 }))
    }

    #[rpc(span = false)]
    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Ok(Response::new(Answer { number: 2 }))
    }
}

/// B8 for what a subscriber does.
#[tokio::test]
async fn j2_a_subscriber_that_panics_ends_the_rpc_as_a_panic() {
    let call = tokio::spawn(async {
        let guard = set_default(registry().with(Refusing));
        let mut first = Box::pin(Refusing.first(ask()));
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            first.as_mut().poll(&mut context).is_ready()
        }));
        drop((first, guard));
        polled.is_err()
    });
    assert!(call.await.unwrap());
    let snapshot = GrpcMetrics::global().snapshot();
    let method = snapshot.method("surroundings.Refused", "First").unwrap();
    assert_eq!((method.requests(Code::Unknown), method.started(), method.finished()), (1, 1, 1));
}

struct Untraced;

#[instrument_grpc(service = "surroundings.Untraced", span = false)]
#[tonic::async_trait]
impl Plain for Untraced {
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Ok(Response::new(Answer { number: 1 }))
    }

    #[rpc(span = true)]
    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Ok(Response::new(Answer { number: 2 }))
    }
}

#[tokio::test]
async fn j4_an_impl_without_spans_and_a_method_with_one() {
    let spans = Spans::new();
    let _guard = spans.subscribe();
    Untraced.first(ask()).await.unwrap();
    assert!(spans.rpc().is_none());
    Untraced.second(ask()).await.unwrap();
    assert_eq!(spans.rpc().unwrap().name, "surroundings.Untraced/Second");
}
