//! What OpenTelemetry knows of a span: the trace it belongs to.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use opentelemetry::propagation::Extractor;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, global};
use tonic::metadata::{KeyRef, MetadataMap};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::exemplar::Exemplar;
use crate::target::MethodMetrics;

/// The caller's span.
#[derive(Debug, Default)]
pub(super) struct Parent(Option<Context>);

impl Parent {
    /// As the program's propagator reads it from the metadata. What that can't read is none.
    pub(super) fn of(metadata: &MetadataMap) -> Self {
        // Not onto the current context, which would stay in the place of what is not in the metadata.
        let context = catch_unwind(AssertUnwindSafe(|| {
            global::get_text_map_propagator(|propagator| {
                propagator.extract_with_context(&Context::new(), &Metadata(metadata))
            })
        }))
        .unwrap_or_default();
        let valid = context.span().span_context().is_valid();
        Self(valid.then_some(context))
    }

    /// Puts a span that was not entered yet under the caller's. If the surrounding span is of the same trace
    /// already, since a layer has read the metadata too, it stays the parent.
    pub(super) fn adopt(self, span: &Span) {
        let Self(Some(context)) = self else { return };
        let trace_id = |context: &Context| context.span().span_context().trace_id();
        let is_ours = |surrounding: &Context| trace_id(surrounding) == trace_id(&context);
        // That of a span which OpenTelemetry's layer has entered, or of its own API.
        if is_ours(&Context::current()) {
            return;
        }
        let surrounding = Span::current().context();
        let parent = if is_ours(&surrounding) { surrounding } else { context };
        // An error says that no layer of OpenTelemetry sees the span.
        let _ = span.set_parent(parent);
    }
}

/// Keeps the RPC for its bucket, if its trace is sampled and so will be found.
pub(super) fn keep_exemplar(span: &Span, target: &MethodMetrics, nanos: u64) {
    let context = span.context();
    let span = context.span();
    let ids = span.span_context();
    if !ids.is_valid() || !ids.is_sampled() {
        return;
    }
    #[allow(clippy::cast_precision_loss)] // 2^53 ns are 104 days
    let duration = nanos as f64 / 1e9;
    let exemplar = Exemplar {
        trace_id: u128::from_be_bytes(ids.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(ids.span_id().to_bytes()),
        duration,
        ended: SystemTime::now(),
    };
    target.exemplars.keep(target.cells.bucket(nanos), target.cells.buckets(), exemplar);
}

struct Metadata<'a>(&'a MetadataMap);

impl Extractor for Metadata<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0
            .keys()
            .filter_map(|key| match key {
                KeyRef::Ascii(key) => Some(key.as_str()),
                KeyRef::Binary(_) => None,
            })
            .collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let values: Vec<_> =
            self.0.get_all(key).iter().filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then_some(values)
    }
}
