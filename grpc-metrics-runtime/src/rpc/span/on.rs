//! The span, as `tracing` has it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{mem, thread};

use http::HeaderMap;
#[cfg(feature = "opentelemetry")]
use opentelemetry::Context;
use tracing::Span;
use tracing::field::Empty;
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};

use crate::catalog::Method;
use crate::counters::MethodCounters;
use crate::grpc::CodeLabel;

use super::Ended;
#[cfg(feature = "opentelemetry")]
use super::trace::{self, Caller};

/// The level from which on there is something to do. The span is of `INFO`; those of the handler that the caller's trace
/// goes around may be of any.
const MOST_SEVERE: LevelFilter =
    if cfg!(feature = "opentelemetry") { LevelFilter::ERROR } else { LevelFilter::INFO };

/// Under which filters find the spans.
const TARGET: &str = "grpc_metrics_runtime";

/// The span of an RPC that some subscriber wants to see, or the caller's trace for want of one; nothing
/// otherwise.
///
/// Boxed, so that an RPC without one is small; a subscriber allocates more than that.
#[derive(Debug, Default)]
pub(crate) struct RpcSpan(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    method: &'static Method,
    #[cfg(feature = "opentelemetry")]
    caller: Caller,
    /// What stands for the span with OpenTelemetry, where that does not see it.
    #[cfg(feature = "opentelemetry")]
    around: Option<Context>,
    /// [`Span::none`] until the RPC starts.
    span: Span,
    /// Whether the current thread is in the span.
    entered: bool,
}

impl RpcSpan {
    /// The span of an RPC that has not started. What has to be known of the request is taken from it now,
    /// since the handler will have it.
    #[inline]
    pub(crate) fn of(
        method: &'static Method,
        #[cfg_attr(not(feature = "opentelemetry"), allow(unused))] headers: &HeaderMap,
    ) -> Self {
        // Whether this very span is wanted, only making it tells: filters ask for its name and fields, and
        // those of `tracing_subscriber` leave an answer that no span follows to the next event.
        let wanted = LevelFilter::current().min(STATIC_MAX_LEVEL);
        if !method.has_span() || wanted < MOST_SEVERE {
            return Self(None);
        }
        #[cfg(feature = "opentelemetry")]
        let caller = Caller::of(headers);
        #[cfg(feature = "opentelemetry")]
        if wanted < LevelFilter::INFO && caller.is_empty() {
            return Self(None);
        }
        Self(Some(Box::new(Open {
            method,
            #[cfg(feature = "opentelemetry")]
            caller,
            #[cfg(feature = "opentelemetry")]
            around: None,
            span: Span::none(),
            entered: false,
        })))
    }

    /// The RPC starts.
    #[inline]
    pub(crate) fn open(&mut self) {
        if let Some(open) = &mut self.0
            && !open.open()
        {
            self.0 = None;
        }
    }

    /// A part of the RPC begins to run on this thread.
    #[inline]
    pub(crate) fn enter(&mut self) {
        if let Some(open) = &mut self.0 {
            open.enter();
        }
    }

    /// That part has run.
    #[inline]
    pub(crate) fn exit(&mut self) {
        if let Some(open) = &mut self.0 {
            open.exit();
        }
    }

    /// The RPC has ended.
    #[inline]
    pub(crate) fn close(&mut self, target: &MethodCounters, ended: &Ended) {
        if let Some(open) = self.0.take() {
            open.close_safely(target, ended);
        }
    }
}

impl Open {
    /// OpenTelemetry, "Semantic conventions for gRPC", has the names of the fields and the codes that mean an
    /// error of the server. `otel.*` is how a span of `tracing` tells them to OpenTelemetry. Says whether
    /// there is anything to enter.
    #[cold]
    fn open(&mut self) -> bool {
        let method = self.method.path();
        let span = tracing::info_span!(
            target: TARGET,
            "rpc",
            otel.name = method,
            otel.kind = "server",
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
            self.around = mem::take(&mut self.caller).adopt(&span);
        }
        #[cfg(feature = "opentelemetry")]
        let is_wanted = is_wanted || self.around.is_some();
        self.span = span;
        is_wanted
    }

    #[cold]
    fn enter(&mut self) {
        if !mem::replace(&mut self.entered, true) {
            #[cfg(feature = "opentelemetry")]
            self.around.as_ref().inspect(|context| trace::attach(context));
            // Not by a guard of the span's, which would borrow it for as long.
            self.span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
        }
    }

    #[cold]
    fn exit(&mut self) {
        if mem::replace(&mut self.entered, false) {
            // First: what the subscriber does may panic.
            #[cfg(feature = "opentelemetry")]
            self.around.as_ref().inspect(|_| trace::detach());
            self.span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
        }
    }

    /// A subscriber's panic amid another one would abort the program.
    #[cold]
    fn close_safely(self, target: &MethodCounters, ended: &Ended) {
        if thread::panicking() {
            let _ = catch_unwind(AssertUnwindSafe(|| self.close(target, ended)));
        } else {
            self.close(target, ended);
        }
    }

    fn close(mut self, target: &MethodCounters, ended: &Ended) {
        self.exit();
        let code = CodeLabel::Name.spell(ended.code);
        self.span.record("rpc.response.status_code", code);
        if target.faults.contains(ended.code) {
            self.span.record("error.type", code);
            self.span.record("otel.status_code", "ERROR");
        }
        if let Some(cause) = ended.cause {
            self.span.record("error.cause", cause);
        }
        #[cfg(feature = "opentelemetry")]
        trace::keep_exemplar(&self.span, target, ended.nanos);
    }
}
