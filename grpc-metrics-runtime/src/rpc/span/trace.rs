//! What OpenTelemetry knows of a span: the trace it belongs to.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::time::SystemTime;

use http::{HeaderMap, HeaderName};
use opentelemetry::baggage::{BaggageExt, KeyValueMetadata};
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, ContextGuard, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::counters::{Exemplar, MethodCounters};

/// What the caller says of its trace.
#[derive(Debug, Default)]
pub(super) struct Caller(Option<Propagated>);

#[derive(Debug)]
struct Propagated {
    /// The surrounding context with that in it: what a layer has put there is the handler's to read.
    context: Context,
    /// Whether it is in a trace of the caller's, and does not have baggage alone.
    has_trace: bool,
}

impl Caller {
    /// As the program's propagator reads it from the metadata. What that can't read is none.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let around = Context::current();
        let extracted = catch_unwind(AssertUnwindSafe(|| {
            global::get_text_map_propagator(|propagator| {
                propagator.extract_with_context(&around, &Headers(headers))
            })
        }));
        Self(extracted.ok().and_then(|context| {
            // What the metadata does not have stays what it is around.
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

    /// Puts a span that was not entered yet under the caller's. Gives the context that has to be
    /// [attached](attach) for what runs inside, where OpenTelemetry does not see the span.
    pub(super) fn adopt(self, span: &Span) -> Option<Context> {
        let parent = self.parent()?;
        // An error says that OpenTelemetry does not see it, but no error does not say that it does.
        let _ = span.set_parent(parent.clone());
        (!is_in_a_trace(&span.context())).then_some(parent)
    }

    /// The context that a span gets for its parent, if it would not get it anyway.
    fn parent(self) -> Option<Context> {
        let Propagated { context: caller, has_trace } = self.0?;
        // Of a span which OpenTelemetry's layer has entered, or of its own API.
        let current = Context::current();
        if !has_trace {
            let surrounding = if is_in_a_trace(&current) { None } else { surrounding() };
            let around = surrounding.unwrap_or(current);
            let baggage = caller.baggage().iter().map(|(name, (value, metadata))| {
                KeyValueMetadata::new(name.clone(), value.clone(), metadata.clone())
            });
            return Some(around.with_baggage(baggage));
        }
        // If the surrounding span is of the same trace already, since a layer has read the metadata too, it
        // stays the parent.
        let trace_id = |context: &Context| context.span().span_context().trace_id();
        let is_ours = |surrounding: &Context| trace_id(surrounding) == trace_id(&caller);
        if is_ours(&current) {
            return None;
        }
        Some(surrounding().filter(is_ours).unwrap_or(caller))
    }
}

/// The context of the surrounding span, where OpenTelemetry's layer sees it and has not made it the current one.
fn surrounding() -> Option<Context> {
    Some(Span::current().context()).filter(is_in_a_trace)
}

fn is_in_a_trace(context: &Context) -> bool {
    context.span().span_context().is_valid()
}

thread_local! {
    /// What is attached on this thread, the newest last. Not in the RPCs that it is attached for: they may go to
    /// another thread between two polls, and a guard may not.
    static ATTACHED: RefCell<Vec<ContextGuard>> = const { RefCell::new(Vec::new()) };
}

/// Makes it the current context up to the matching [`detach`] on this thread.
pub(super) fn attach(context: &Context) {
    let attach = |attached: &RefCell<Vec<_>>| attached.borrow_mut().push(context.clone().attach());
    // An error: the thread ends, and has no context any more.
    let _ = ATTACHED.try_with(attach);
}

pub(super) fn detach() {
    drop(ATTACHED.try_with(|attached| attached.borrow_mut().pop()));
}

/// Keeps the RPC for its bucket, if its trace is sampled and so will be found.
pub(super) fn keep_exemplar(span: &Span, target: &MethodCounters, nanos: u64) {
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
    target.keep_exemplar(nanos, exemplar);
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        // Binary metadata is no text.
        self.0.keys().map(HeaderName::as_str).filter(|key| !key.ends_with("-bin")).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let values: Vec<_> =
            self.0.get_all(key).iter().filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then_some(values)
    }
}
