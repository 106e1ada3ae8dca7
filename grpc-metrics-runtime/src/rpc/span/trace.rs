//! The caller's trace, and exemplars of sampled spans.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::baggage::{BaggageExt, KeyValueMetadata};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, ContextGuard, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::Ended;
use crate::counters::{Exemplar, MethodCounters};

/// The trace and the baggage that the caller propagates.
#[derive(Debug, Default)]
pub(super) struct Caller(Option<Propagated>);

#[derive(Debug)]
struct Propagated {
    /// The surrounding context with the caller's trace and baggage. It keeps what a layer has put there.
    context: Context,
    /// Whether the caller propagates a trace, and not only baggage.
    has_trace: bool,
}

impl Caller {
    /// Extracts the caller's trace and baggage with the program's propagator. A propagator that panics extracts
    /// nothing.
    pub(super) fn extract(headers: &HeaderMap) -> Self {
        let around = Context::current();
        let extracted = catch_unwind(AssertUnwindSafe(|| {
            global::get_text_map_propagator(|propagator| {
                propagator.extract_with_context(&around, &Headers(headers))
            })
        }));
        Self(extracted.ok().and_then(|context| {
            // Without a trace in the metadata, the span context is still the surrounding one.
            let has_trace = is_in_a_trace(&context)
                && context.span().span_context() != around.span().span_context();
            let baggage = context.baggage();
            let has_baggage = !ptr::eq(baggage, around.baggage()) && !baggage.is_empty();
            (has_trace || has_baggage).then_some(Propagated { context, has_trace })
        }))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Makes the caller's span the parent of `span`, which has not been entered. If OpenTelemetry does not see `span`,
    /// returns the context to [attach] while the RPC runs.
    pub(super) fn set_parent_of(self, span: &Span) -> Option<Context> {
        let parent = self.parent()?;
        // An error means that OpenTelemetry does not see the span, but success does not mean that it does.
        let _ = span.set_parent(parent.clone());
        (!is_in_a_trace(&span.context())).then_some(parent)
    }

    /// Returns the context of the parent, or `None` if the span gets that parent anyway.
    fn parent(self) -> Option<Context> {
        let Propagated { context: caller, has_trace } = self.0?;
        // Set by OpenTelemetry's layer for an entered span, or through OpenTelemetry's own API.
        let current = Context::current();
        if !has_trace {
            let surrounding = if is_in_a_trace(&current) { None } else { surrounding() };
            let around = surrounding.unwrap_or(current);
            let baggage = caller.baggage().iter().map(|(name, (value, metadata))| {
                KeyValueMetadata::new(name.clone(), value.clone(), metadata.clone())
            });
            return Some(around.with_baggage(baggage));
        }
        // If a layer has read the metadata, too, the surrounding span is in the same trace and stays the parent.
        let trace_id = |context: &Context| context.span().span_context().trace_id();
        let is_ours = |surrounding: &Context| trace_id(surrounding) == trace_id(&caller);
        if is_ours(&current) {
            return None;
        }
        Some(surrounding().filter(is_ours).unwrap_or(caller))
    }
}

/// Returns the context of the surrounding span, if OpenTelemetry's layer sees that span.
fn surrounding() -> Option<Context> {
    Some(Span::current().context()).filter(is_in_a_trace)
}

fn is_in_a_trace(context: &Context) -> bool {
    context.span().span_context().is_valid()
}

/// Writes the trace and the baggage of a call into its metadata, with the program's propagator. A propagator that panics
/// writes nothing.
pub(super) fn inject(span: Option<&Span>, headers: &mut HeaderMap) {
    let of_call = span.map(OpenTelemetrySpanExt::context).filter(is_in_a_trace);
    let context = of_call.or_else(surrounding).unwrap_or_else(Context::current);
    if is_in_a_trace(&context) || !context.baggage().is_empty() {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            global::get_text_map_propagator(|propagator| {
                propagator.inject_context(&context, &mut Injected(headers));
            });
        }));
    }
}

struct Injected<'a>(&'a mut HeaderMap);

impl Injector for Injected<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::from_bytes(key.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

thread_local! {
    /// The contexts attached on this thread, the newest last. They can't be kept in their RPCs, because a context guard
    /// is not `Send` and an RPC may move to another thread between two polls.
    static ATTACHED: RefCell<Vec<ContextGuard>> = const { RefCell::new(Vec::new()) };
}

/// Makes this the current context until the matching [`detach`] on this thread.
pub(super) fn attach(context: &Context) {
    let attach = |attached: &RefCell<Vec<_>>| attached.borrow_mut().push(context.clone().attach());
    // Fails while the thread's locals are being destroyed, when there is no context any more.
    let _ = ATTACHED.try_with(attach);
}

pub(super) fn detach() {
    drop(ATTACHED.try_with(|attached| attached.borrow_mut().pop()));
}

/// Keeps the RPC as the exemplar of its bucket, if its trace is sampled.
pub(super) fn keep_exemplar(span: &Span, target: &MethodCounters, ended: Ended) {
    let context = span.context();
    let span = context.span();
    let ids = span.span_context();
    if !ids.is_valid() || !ids.is_sampled() {
        return;
    }
    #[allow(clippy::cast_precision_loss)] // 2^53 ns are 104 days
    let duration = ended.nanos as f64 / 1e9;
    let exemplar = Exemplar {
        trace_id: u128::from_be_bytes(ids.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(ids.span_id().to_bytes()),
        code: ended.code,
        duration,
        ended: SystemTime::now(),
        label: ended.label,
    };
    target.keep_exemplar(ended.nanos, exemplar);
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        // Binary metadata is not text.
        self.0.keys().map(HeaderName::as_str).filter(|key| !key.ends_with("-bin")).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let values: Vec<_> =
            self.0.get_all(key).iter().filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then_some(values)
    }
}
