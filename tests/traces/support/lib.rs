//! Callers that say which trace they are in, and what of it the server's spans tell.

// Helpers of tests: they panic where a test fails.
#![allow(clippy::missing_panics_doc)]

pub mod receiver;

/// The program on this page compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/tracing.md")]
struct Page;

use std::sync::OnceLock;

use grpc_metrics_runtime::Exemplar;
use opentelemetry::propagation::TextMapCompositePropagator;
use opentelemetry::trace::{SpanContext, TraceFlags, TraceState, TracerProvider};
use opentelemetry::{Value, global};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::{
    IdGenerator, InMemorySpanExporter, RandomIdGenerator, Sampler, SdkTracerProvider, SpanData,
};
use support::bed::Bed;
use support::clients::Kind;
pub use support::codes;
use support::scripted::SERVICE;
use support::wait::until;
use tonic::Request;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// What a program sets up once: a subscriber with OpenTelemetry's layer, whose spans end up here, and the W3C
/// propagators. Sampled is what the caller has sampled, and what has no caller.
pub fn exporter() -> &'static InMemorySpanExporter {
    static EXPORTER: OnceLock<InMemorySpanExporter> = OnceLock::new();
    EXPORTER.get_or_init(|| {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(exporter.clone())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
            .build();
        global::set_text_map_propagator(TextMapCompositePropagator::new(vec![
            Box::new(TraceContextPropagator::new()),
            Box::new(BaggagePropagator::new()),
        ]));
        subscribe(&provider);
        exporter
    })
}

/// Makes spans the provider's, in the whole program.
pub fn subscribe(provider: &SdkTracerProvider) {
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("tests"));
    // Not the spans of the transport, of which there is one that lives as long as a connection.
    let ours = Targets::new()
        .with_target("grpc_metrics_runtime", tracing::Level::INFO)
        .with_target("traces::nesting", tracing::Level::INFO);
    tracing_subscriber::registry().with(layer.with_filter(ours)).init();
}

/// A client's own span.
#[derive(Clone, Debug)]
pub struct Caller(pub SpanContext);

impl Caller {
    /// In a trace of its own.
    pub fn new(sampled: bool) -> Self {
        let ids = RandomIdGenerator::default();
        let (trace, span) = (ids.new_trace_id(), ids.new_span_id());
        let flags = if sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
        Self(SpanContext::new(trace, span, flags, true, TraceState::NONE))
    }

    pub fn trace_id(&self) -> u128 {
        u128::from_be_bytes(self.0.trace_id().to_bytes())
    }

    /// W3C Trace Context, "traceparent Header".
    pub fn traceparent(&self) -> String {
        let (trace, span) = (self.0.trace_id(), self.0.span_id());
        format!("00-{trace}-{span}-{:02x}", self.0.trace_flags().to_u8())
    }

    /// A request that says so.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("traceparent", self.traceparent().parse().unwrap());
        request
    }

    /// The server's spans in the caller's trace that have ended.
    pub fn spans(&self) -> Vec<SpanData> {
        let mut spans = exporter().get_finished_spans().unwrap();
        spans.retain(|span| span.span_context.trace_id() == self.0.trace_id());
        spans
    }

    /// The RPC's span, once it has ended. A metric is counted before its span is exported.
    pub async fn span(&self) -> SpanData {
        let of_rpcs = || {
            let spans = self.spans().into_iter();
            spans.filter(|span| text(span, "rpc.system.name").is_some()).collect::<Vec<_>>()
        };
        let mut spans = until(of_rpcs, |spans| !spans.is_empty()).await;
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans.remove(0)
    }
}

/// An attribute of a span.
pub fn text(span: &SpanData, key: &str) -> Option<String> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key.as_str() == key)?;
    match &attribute.value {
        Value::String(text) => Some(text.as_str().to_owned()),
        other => panic!("{key} is no text: {other:?}"),
    }
}

/// What the method's buckets hold.
pub fn exemplars(bed: &Bed, kind: Kind) -> Vec<Exemplar> {
    let snapshot = bed.metrics.snapshot();
    let method = snapshot.method(SERVICE, kind.method()).unwrap();
    method.exemplars().iter().flatten().copied().collect()
}
