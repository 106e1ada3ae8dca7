//! The state machine of an RPC. Only this module decides how an RPC ends. Of tonic, it uses only the codes.

use std::ops::Deref;
use std::sync::Arc;
use std::{mem, ptr, thread};

use http::{Extensions, HeaderMap};
use tonic::Code;

use super::caller::Caller;
use super::deadline::Deadline;
use super::span::{Ended, RpcSpan};
use super::ticket::Ticket;
use crate::catalog::Method;
use crate::counters::{Instant, LabelValue, MethodCounters};

/// The counters of an RPC: those of the process-wide instance, which is never dropped, or of an instance that may be
/// dropped before the RPC ends.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Global(&'static MethodCounters),
    Own(Arc<MethodCounters>),
}

impl Target {
    /// Whether both count in the same place.
    pub(super) fn is(&self, other: &Self) -> bool {
        ptr::eq::<MethodCounters>(&raw const **self, &raw const **other)
    }
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

/// Records the start and the end of one RPC.
#[derive(Debug)]
pub(super) struct Recorder {
    target: Target,
    deadline: Deadline,
    // Here, where they take no room.
    phase: Phase,
    label: LabelValue,
    started: Instant,
}

impl Recorder {
    #[inline]
    pub(crate) fn start(target: Target, deadline: Deadline, label: LabelValue) -> Self {
        let started = target.start();
        Self { target, deadline, phase: Phase::Running, label, started }
    }

    /// Of an RPC that starts later, or whose start the server layer has counted.
    #[inline]
    pub(super) fn unstarted(target: Target, deadline: Deadline, label: LabelValue) -> Self {
        Self { target, deadline, phase: Phase::NotStarted, label, started: Instant::NEVER }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    #[inline]
    fn restart(&mut self) {
        self.started = self.target.start();
    }

    /// Ends the RPC. Call one of the ending methods, once.
    #[inline]
    pub(crate) fn end(&self, code: Code) -> Ended {
        let nanos = self.target.nanos_since(self.started);
        self.target.end(code, nanos, self.label);
        Ended { code, nanos, cause: None, label: self.label }
    }

    /// Ends the RPC with an error of this cause.
    #[cold]
    pub(super) fn fail(&self, code: Code, cause: Option<&'static str>) -> Ended {
        let ended = self.end(code);
        if let Some(cause) = cause {
            self.target.count_cause(code, cause);
        }
        Ended { cause, ..ended }
    }

    /// Ends an RPC that was dropped: its deadline has passed, or its client or connection is gone.
    #[cold]
    pub(super) fn abandon(&self) -> Ended {
        let nanos = self.target.nanos_since(self.started);
        let late = self.deadline.has_passed(nanos);
        let code = if late { Code::DeadlineExceeded } else { Code::Cancelled };
        self.target.end(code, nanos, self.label);
        Ended { code, nanos, cause: None, label: self.label }
    }

    /// Ends an RPC whose owner is dropped, maybe by a panic.
    #[cold]
    pub(crate) fn drop_unfinished(&self) -> Ended {
        if thread::panicking() {
            // gRPC's code for errors without a code of their own.
            self.end(Code::Unknown)
        } else {
            self.abandon()
        }
    }
}

/// One RPC of an instrumented method, owned by the handler's future and then by the response stream.
#[derive(Debug)]
pub struct Rpc {
    recorder: Recorder,
    method: &'static Method,
    span: RpcSpan,
    /// Of the layer, which then counts start and end.
    ticket: Option<Arc<Ticket>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not polled yet.
    NotStarted,
    Running,
    Ended,
}

impl Rpc {
    // Only in the two functions of `private` that are compiled once.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(crate) fn new(
        target: Target,
        method: &'static Method,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Self {
        let ticket = Ticket::claim(extensions, method, &target, headers);
        // With the layer, they are the layer's.
        let (deadline, label) = match &ticket {
            Some(_) => (Deadline::NONE, LabelValue::NONE),
            None => (Deadline::from_headers(headers), target.label_value(headers)),
        };
        let recorder = Recorder::unstarted(target, deadline, label);
        let span = RpcSpan::new(method, headers);
        if let Some(ticket) = ticket.as_ref().filter(|_| span.is_some()) {
            ticket.expect_span();
        }
        Self { recorder, method, span, ticket }
    }

    /// Takes the RPC, leaving one that has ended.
    #[inline]
    pub(crate) fn take(&mut self) -> Self {
        let Recorder { target, deadline, label, started, .. } = &self.recorder;
        let (target, deadline, label, started) = (target.clone(), *deadline, *label, *started);
        let phase = mem::replace(&mut self.recorder.phase, Phase::Ended);
        let recorder = Recorder { target, deadline, phase, label, started };
        let span = mem::take(&mut self.span);
        Self { recorder, method: self.method, span, ticket: self.ticket.take() }
    }

    /// Marks that a poll of the RPC begins. The RPC starts with its first poll.
    #[inline]
    pub fn enter(&mut self) -> Entered<'_> {
        let starts = self.recorder.phase == Phase::NotStarted;
        if starts {
            self.recorder.phase = Phase::Running;
            if self.ticket.is_none() {
                self.recorder.restart();
            }
        }
        // From here on a panic ends the RPC, even a panic of the tracing subscriber.
        let outer = Caller::of(self.method).replace();
        let entered = Entered { rpc: self, outer };
        if starts {
            entered.rpc.span.open();
        }
        entered.rpc.span.enter();
        entered
    }

    /// Marks the RPC as ended, and returns whether it was running.
    #[inline]
    fn mark_ended(&mut self) -> bool {
        mem::replace(&mut self.recorder.phase, Phase::Ended) == Phase::Running
    }

    /// Leaves the end to the layer, if there is one.
    #[inline]
    fn ends_on_the_wire(&mut self, cause: Option<(Code, &'static str)>) -> bool {
        self.ticket.is_some() && self.leave_to_layer(cause)
    }

    #[inline(never)]
    fn leave_to_layer(&mut self, cause: Option<(Code, &'static str)>) -> bool {
        let Some(ticket) = self.ticket.take() else { return false };
        self.span.exit();
        if let Some((code, cause)) = cause {
            ticket.keep_cause(code, cause);
        }
        ticket.keep_span(mem::take(&mut self.span), &self.recorder.target);
        true
    }

    #[inline]
    fn close_span(&mut self, ended: Ended) {
        self.span.close(&self.recorder.target, &ended);
    }

    /// Ends the RPC. Does nothing if it has ended.
    // Compiled once, as are all large parts of what every method needs.
    #[inline(never)]
    pub fn end(&mut self, code: Code) {
        if self.mark_ended() && !self.ends_on_the_wire(None) {
            let ended = self.recorder.end(code);
            self.close_span(ended);
        }
    }

    /// Returns whether the response is a single message.
    #[inline]
    pub(super) fn awaits_message(&self) -> bool {
        !self.recorder.target.kind.server_streams()
    }

    /// Ends the RPC with an error. Looks up the cause only if the RPC has not ended.
    #[cold]
    pub(super) fn fail(&mut self, code: Code, cause: impl FnOnce() -> Option<&'static str>) {
        if self.mark_ended() {
            let cause = cause();
            if !self.ends_on_the_wire(cause.map(|cause| (code, cause))) {
                let ended = self.recorder.fail(code, cause);
                self.close_span(ended);
            }
        }
    }

    #[inline]
    pub(crate) fn message_sent(&self) {
        if self.recorder.phase == Phase::Running {
            self.recorder.target.message_sent();
        }
    }

    #[cold]
    #[inline(never)]
    fn drop_unfinished(&mut self) {
        if !self.ends_on_the_wire(None) {
            let ended = self.recorder.drop_unfinished();
            self.close_span(ended);
        }
    }

    /// Prepares for the drop of the handler or stream, which is part of the RPC. If the thread is panicking already,
    /// the panic began elsewhere, and the RPC counts as dropped. A panic that begins in the drop is the RPC's own.
    #[inline]
    pub(crate) fn before_drop(&mut self) {
        if self.recorder.phase == Phase::Running {
            self.before_early_drop();
        }
    }

    #[cold]
    #[inline(never)]
    fn before_early_drop(&mut self) {
        if thread::panicking() {
            self.recorder.phase = Phase::Ended;
            if !self.ends_on_the_wire(None) {
                let ended = self.recorder.abandon();
                self.close_span(ended);
            }
        } else {
            self.span.enter();
        }
    }
}

impl Drop for Rpc {
    #[inline]
    fn drop(&mut self) {
        if self.mark_ended() {
            self.drop_unfinished();
        }
    }
}

/// A poll of an RPC. If it panics, the RPC ends.
#[derive(Debug)]
#[must_use = "the RPC ends when this is dropped"]
pub struct Entered<'a> {
    rpc: &'a mut Rpc,
    /// The handler that polls this one.
    outer: Caller,
}

impl Entered<'_> {
    /// Marks the end of the poll.
    #[inline]
    pub fn leave(self) {
        self.outer.replace();
        self.rpc.span.exit();
        mem::forget(self);
    }
}

impl Drop for Entered<'_> {
    #[cold]
    fn drop(&mut self) {
        self.outer.replace();
        self.rpc.end(Code::Unknown);
    }
}
