//! The span of an RPC, by `tracing`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{mem, thread};

use http::HeaderMap;
#[cfg(feature = "opentelemetry")]
use opentelemetry::Context;
use tonic::Code;
use tracing::Span;
use tracing::field::Empty;
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};

use crate::catalog::{Method, Side};
use crate::counters::MethodCounters;
use crate::grpc::CodeLabel;

use super::Ended;
#[cfg(feature = "opentelemetry")]
use super::trace::{self, Caller};

/// The least verbose maximum level at which there is work to do. The RPC's span is at `INFO`. The handler's spans,
/// which belong to the caller's trace, may be at any level.
const REQUIRED_LEVEL: LevelFilter =
    if cfg!(feature = "opentelemetry") { LevelFilter::ERROR } else { LevelFilter::INFO };

/// The target of the spans, for filters.
const TARGET: &str = "grpc_metrics_runtime";

/// The span of an RPC; or the caller's trace alone, if no subscriber enables the span; or nothing.
///
/// Boxed, so that an RPC without a span is small. A subscriber allocates more than the box.
#[derive(Debug, Default)]
pub(crate) struct RpcSpan(Option<Box<Inner>>);

#[derive(Debug)]
struct Inner {
    /// `service/method`.
    path: &'static str,
    side: Side,
    #[cfg(feature = "opentelemetry")]
    caller: Caller,
    /// The caller's context, to be attached if OpenTelemetry does not see the span.
    #[cfg(feature = "opentelemetry")]
    context: Option<Context>,
    /// [`Span::none`] until the RPC starts.
    span: Span,
    /// Whether the span is entered on the current thread.
    entered: bool,
}

impl RpcSpan {
    /// No span.
    pub(crate) const NONE: Self = Self(None);

    /// Prepares the span of an RPC that has not started. Reads the headers now, because the handler takes the request.
    #[inline]
    pub(crate) fn new(
        method: &'static Method,
        #[cfg_attr(not(feature = "opentelemetry"), allow(unused))] headers: &HeaderMap,
    ) -> Self {
        // The level is all that can be asked in advance. Filters decide by a span's name and fields, and the per-layer
        // filters of `tracing_subscriber` would apply an `enabled` without a span to the next event.
        let wanted = LevelFilter::current().min(STATIC_MAX_LEVEL);
        if !method.has_span() || wanted < REQUIRED_LEVEL {
            return Self(None);
        }
        #[cfg(feature = "opentelemetry")]
        let caller = Caller::extract(headers);
        #[cfg(feature = "opentelemetry")]
        if wanted < LevelFilter::INFO && caller.is_empty() {
            return Self(None);
        }
        Self(Some(Box::new(Inner {
            path: method.path(),
            side: Side::Server,
            #[cfg(feature = "opentelemetry")]
            caller,
            #[cfg(feature = "opentelemetry")]
            context: None,
            span: Span::none(),
            entered: false,
        })))
    }

    /// Opens the span of a call. Its parent is the surrounding span.
    #[inline]
    pub(crate) fn of_client(path: impl FnOnce() -> &'static str) -> Self {
        // As in `new`.
        if LevelFilter::current().min(STATIC_MAX_LEVEL) < LevelFilter::INFO {
            return Self(None);
        }
        let mut span = Self(Some(Box::new(Inner {
            path: path(),
            side: Side::Client,
            #[cfg(feature = "opentelemetry")]
            caller: Caller::default(),
            #[cfg(feature = "opentelemetry")]
            context: None,
            span: Span::none(),
            entered: false,
        })));
        span.open();
        span
    }

    /// Writes the trace into the metadata of a call: that of its span, or else the surrounding one.
    #[inline]
    #[cfg_attr(not(feature = "opentelemetry"), allow(unused, clippy::unused_self))]
    pub(crate) fn inject(&self, headers: &mut HeaderMap) {
        #[cfg(feature = "opentelemetry")]
        trace::inject(self.0.as_ref().map(|inner| &inner.span), headers);
    }

    pub(crate) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Opens the span when the RPC starts.
    #[inline]
    pub(crate) fn open(&mut self) {
        if let Some(inner) = &mut self.0
            && !inner.open()
        {
            self.0 = None;
        }
    }

    /// Enters the span on the current thread.
    #[inline]
    pub(crate) fn enter(&mut self) {
        if let Some(inner) = &mut self.0 {
            inner.enter();
        }
    }

    /// Exits the span.
    #[inline]
    pub(crate) fn exit(&mut self) {
        if let Some(inner) = &mut self.0 {
            inner.exit();
        }
    }

    /// Closes the span when the RPC has ended.
    #[inline]
    pub(crate) fn close(&mut self, target: &MethodCounters, ended: &Ended) {
        if let Some(inner) = self.0.take() {
            safely(|| inner.close(target, ended));
        }
    }
}

impl Inner {
    /// Opens the span, and returns whether there is anything to enter.
    ///
    /// The fields, and what is an error, are those of OpenTelemetry's "Semantic conventions for gRPC". `tracing-opentelemetry` interprets
    /// `otel.*`.
    #[cold]
    fn open(&mut self) -> bool {
        let method = self.path;
        let kind = match self.side {
            Side::Server => "server",
            Side::Client => "client",
        };
        let span = tracing::info_span!(
            target: TARGET,
            "rpc",
            otel.name = method,
            otel.kind = kind,
            rpc.system.name = "grpc",
            rpc.method = method,
            rpc.response.status_code = Empty,
            "error.type" = Empty,
            error.cause = Empty,
            otel.status_code = Empty,
        );
        let is_wanted = !span.is_disabled();
        #[cfg(feature = "opentelemetry")]
        {
            self.context = mem::take(&mut self.caller).set_parent_of(&span);
        }
        #[cfg(feature = "opentelemetry")]
        let is_wanted = is_wanted || self.context.is_some();
        self.span = span;
        is_wanted
    }

    #[cold]
    fn enter(&mut self) {
        if !mem::replace(&mut self.entered, true) {
            #[cfg(feature = "opentelemetry")]
            self.context.as_ref().inspect(|context| trace::attach(context));
            // Not by `Span::enter`, whose guard borrows the span.
            self.span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
        }
    }

    #[cold]
    fn exit(&mut self) {
        if mem::replace(&mut self.entered, false) {
            // First, because the subscriber may panic.
            #[cfg(feature = "opentelemetry")]
            self.context.as_ref().inspect(|_| trace::detach());
            let span = &self.span;
            safely(|| {
                span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
            });
        }
    }

    #[cold]
    fn close(mut self, target: &MethodCounters, ended: &Ended) {
        self.exit();
        let code = CodeLabel::Name.spell(ended.code);
        self.span.record("rpc.response.status_code", code);
        let is_error = match self.side {
            Side::Server => target.faults.contains(ended.code),
            // To a caller, every other code is an error.
            Side::Client => ended.code != Code::Ok,
        };
        if is_error {
            self.span.record("error.type", code);
            self.span.record("otel.status_code", "ERROR");
        }
        if let Some(cause) = ended.cause {
            self.span.record("error.cause", cause);
        }
        #[cfg(feature = "opentelemetry")]
        trace::keep_exemplar(&self.span, target, *ended);
    }
}

/// Calls the subscriber. Its panic while the thread unwinds would abort the program, so it is caught.
fn safely(call: impl FnOnce()) {
    if thread::panicking() {
        let _ = catch_unwind(AssertUnwindSafe(call));
    } else {
        call();
    }
}
