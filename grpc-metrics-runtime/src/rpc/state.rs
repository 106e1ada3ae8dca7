//! An RPC from its start to its end, and the only place that decides how it ends. Knows of tonic only the codes.

use std::ops::Deref;
use std::sync::Arc;
use std::{mem, thread};

use http::HeaderMap;
use tonic::Code;

use super::deadline::Deadline;
use super::span::{Ended, RpcSpan};
use crate::catalog::Method;
use crate::counters::{Instant, MethodCounters};

/// Where an RPC is counted: in the process-wide instance, which stays, or in one that may be dropped before
/// the RPC ends.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Global(&'static MethodCounters),
    Own(Arc<MethodCounters>),
}

impl Deref for Target {
    type Target = MethodCounters;

    #[inline]
    fn deref(&self) -> &MethodCounters {
        match self {
            Self::Global(counters) => counters,
            Self::Own(counters) => counters,
        }
    }
}

/// What is known of an RPC from its start to its end.
#[derive(Debug)]
pub(super) struct Measured {
    target: Target,
    deadline: Deadline,
    started: Instant,
}

impl Measured {
    #[inline]
    pub(crate) fn start(target: Target, deadline: Deadline) -> Self {
        let started = target.start();
        Self { target, deadline, started }
    }

    #[inline]
    fn restart(&mut self) {
        self.started = self.target.start();
    }

    /// To be called once.
    #[inline]
    pub(crate) fn end(&self, code: Code) -> Ended {
        let nanos = self.target.nanos_since(self.started);
        self.target.end(code, nanos);
        Ended { code, nanos, cause: None }
    }

    /// Ends an RPC with an error of this cause. To be called once.
    #[cold]
    pub(super) fn fail(&self, code: Code, cause: Option<&'static str>) -> Ended {
        let ended = self.end(code);
        if let Some(cause) = cause {
            self.target.cause(code, cause);
        }
        Ended { cause, ..ended }
    }

    /// Ends an RPC that nobody will finish: it is out of time, or else its client or the connection is
    /// gone. To be called once.
    #[cold]
    fn abandon(&self) -> Ended {
        let nanos = self.target.nanos_since(self.started);
        let late = self.deadline.is_up(nanos);
        let code = if late { Code::DeadlineExceeded } else { Code::Cancelled };
        self.target.end(code, nanos);
        Ended { code, nanos, cause: None }
    }

    /// Ends an RPC whose guard is dropped. To be called once.
    #[cold]
    pub(crate) fn drop_unfinished(&self) -> Ended {
        if thread::panicking() {
            // The code for errors that carry none of their own.
            self.end(Code::Unknown)
        } else {
            self.abandon()
        }
    }
}

/// One RPC of an instrumented method, carried by its handler and then by its response stream.
#[derive(Debug)]
pub struct Rpc {
    measured: Measured,
    span: RpcSpan,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not polled yet, and so no RPC yet.
    Waiting,
    Running,
    Ended,
}

impl Rpc {
    #[inline]
    pub(crate) fn new(target: Target, method: &'static Method, headers: &HeaderMap) -> Self {
        let deadline = Deadline::of(headers);
        let measured = Measured { target, deadline, started: Instant::NEVER };
        Self { measured, span: RpcSpan::of(method, headers), phase: Phase::Waiting }
    }

    /// Hands the RPC over, and leaves one that has ended.
    #[inline]
    pub(crate) fn hand_over(&mut self) -> Self {
        let Measured { target, deadline, started } = &self.measured;
        let measured = Measured { target: target.clone(), deadline: *deadline, started: *started };
        let span = mem::take(&mut self.span);
        Self { measured, span, phase: mem::replace(&mut self.phase, Phase::Ended) }
    }

    /// A part of the RPC begins to run; it starts with the first one.
    #[inline]
    pub fn enter(&mut self) -> Entered<'_> {
        let starts = self.phase == Phase::Waiting;
        if starts {
            self.phase = Phase::Running;
            self.measured.restart();
        }
        // From here on a panic is the RPC's end, be it a subscriber's.
        let entered = Entered(self);
        if starts {
            entered.0.span.open();
        }
        entered.0.span.enter();
        entered
    }

    /// Whether the RPC ends now, and not earlier.
    #[inline]
    fn ends(&mut self) -> bool {
        mem::replace(&mut self.phase, Phase::Ended) == Phase::Running
    }

    #[inline]
    fn close_span(&mut self, ended: Ended) {
        self.span.close(&self.measured.target, &ended);
    }

    /// The first end counts, later ones change nothing.
    #[inline]
    pub fn end(&mut self, code: Code) {
        if self.ends() {
            let ended = self.measured.end(code);
            self.close_span(ended);
        }
    }

    /// Whether the client is due one message, and no stream of them.
    #[inline]
    pub(super) fn awaits_message(&self) -> bool {
        !self.measured.target.kind.server_streams()
    }

    /// Ends the RPC as [`end`](Self::end) does, with an error whose cause is looked up if this is the end.
    #[cold]
    pub(super) fn fail(&mut self, code: Code, cause: impl FnOnce() -> Option<&'static str>) {
        if self.ends() {
            let ended = self.measured.fail(code, cause());
            self.close_span(ended);
        }
    }

    #[inline]
    pub(crate) fn message_sent(&self) {
        if self.phase == Phase::Running {
            self.measured.target.message_sent();
        }
    }

    /// The handler or stream is about to be dropped, which is a part of an RPC that runs. If the thread is
    /// panicking already, the cause lies outside, and what is dropped was abandoned; a panic that begins now
    /// is the RPC's own.
    #[inline]
    pub(crate) fn before_drop(&mut self) {
        if self.phase != Phase::Running {
            return;
        }
        if thread::panicking() {
            self.phase = Phase::Ended;
            let ended = self.measured.abandon();
            self.close_span(ended);
        } else {
            self.span.enter();
        }
    }
}

impl Drop for Rpc {
    #[inline]
    fn drop(&mut self) {
        if self.ends() {
            let ended = self.measured.drop_unfinished();
            self.close_span(ended);
        }
    }
}

/// A part of an RPC that runs. If it panics, the RPC ends.
#[derive(Debug)]
#[must_use = "the RPC ends when this is dropped"]
pub struct Entered<'a>(&'a mut Rpc);

impl Entered<'_> {
    /// The part has run.
    #[inline]
    pub fn leave(self) {
        self.0.span.exit();
        mem::forget(self);
    }
}

impl Drop for Entered<'_> {
    #[cold]
    fn drop(&mut self) {
        self.0.end(Code::Unknown);
    }
}
