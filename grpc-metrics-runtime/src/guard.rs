//! How an RPC ends: the only place that decides.

use std::ops::Deref;
use std::sync::Arc;
use std::{mem, thread};

use tonic::{Code, Response, Status};

use crate::clock::Instant;
use crate::deadline::Deadline;
use crate::metrics::MethodMetrics;

/// Where an RPC is counted: in the process-wide instance, which stays, or in one that may go before
/// the RPC ends.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Global(&'static MethodMetrics),
    Own(Arc<MethodMetrics>),
}

impl Deref for Target {
    type Target = MethodMetrics;

    #[inline]
    fn deref(&self) -> &MethodMetrics {
        match self {
            Self::Global(metrics) => metrics,
            Self::Own(metrics) => metrics,
        }
    }
}

/// An RPC that has started and not ended.
#[derive(Debug)]
pub(crate) struct Running {
    target: Target,
    deadline: Deadline,
    started: Instant,
}

impl Running {
    #[inline]
    pub(crate) fn start(target: Target, deadline: Deadline) -> Self {
        target.cells.start();
        Self {
            target,
            deadline,
            started: Instant::now(),
        }
    }

    /// To be called once.
    #[inline]
    pub(crate) fn end(&self, code: Code) {
        self.target
            .cells
            .finish(code as usize, self.started.elapsed_nanos());
    }

    /// Ends an RPC that nobody will finish: it is out of time, or else its client or the connection is
    /// gone. To be called once.
    #[cold]
    pub(crate) fn abandon(&self) {
        let elapsed = self.started.elapsed_nanos();
        let code = if self.deadline.is_up(elapsed) {
            Code::DeadlineExceeded
        } else {
            Code::Cancelled
        };
        self.target.cells.finish(code as usize, elapsed);
    }

    /// Ends an RPC whose guard is dropped. To be called once.
    #[cold]
    pub(crate) fn drop_unfinished(&self) {
        // What makes a server out of a panic is UNKNOWN, as for any status it knows nothing about.
        if thread::panicking() {
            self.end(Code::Unknown)
        } else {
            self.abandon()
        }
    }
}

/// One RPC of an instrumented method, carried by its handler and then by its response stream.
#[derive(Debug)]
pub struct Rpc(State);

#[derive(Debug)]
enum State {
    /// Not polled yet, and so no RPC yet.
    Waiting(Target, Deadline),
    Running(Running),
    Ended,
}

impl Rpc {
    #[inline]
    pub(crate) fn new(target: Target, deadline: Deadline) -> Self {
        Self(State::Waiting(target, deadline))
    }

    /// Moves the RPC out and leaves one that has ended.
    pub(crate) fn take(&mut self) -> Self {
        Self(mem::replace(&mut self.0, State::Ended))
    }

    /// Runs a part of the RPC, which starts with the first one. If that part panics, the RPC ends.
    #[inline]
    pub(crate) fn run<R>(&mut self, part: impl FnOnce() -> R) -> R {
        if let State::Waiting(..) = self.0
            && let State::Waiting(target, deadline) = mem::replace(&mut self.0, State::Ended)
        {
            self.0 = State::Running(Running::start(target, deadline));
        }
        let unwinding = EndOnUnwind(self);
        let result = part();
        mem::forget(unwinding);
        result
    }

    /// The first end counts, later ones change nothing.
    #[inline]
    pub(crate) fn end(&mut self, code: Code) {
        if let State::Running(running) = mem::replace(&mut self.0, State::Ended) {
            running.end(code);
        }
    }

    /// The handler has returned, and no stream goes on for it.
    #[inline]
    pub(crate) fn end_with<T>(&mut self, returned: &Result<Response<T>, Status>) {
        let code = returned.as_ref().map_or_else(Status::code, |_| Code::Ok);
        match (code, &self.0) {
            // A status that says OK carries no message. Where the client waits for one, tonic's client
            // gives INTERNAL "Missing response message."; a stream without messages is a legal answer.
            (Code::Ok, State::Running(running))
                if returned.is_err() && !running.target.kind.server_streams() =>
            {
                self.end(Code::Internal);
            }
            _ => self.end(code),
        }
    }

    pub(crate) fn message_sent(&self) {
        if let State::Running(running) = &self.0 {
            running.target.cells.message();
        }
    }

    /// The handler or stream is about to be dropped. If the thread is panicking already, the cause lies
    /// outside, and what is dropped was abandoned; a panic that begins now is the RPC's own.
    pub(crate) fn before_drop(&mut self) {
        if thread::panicking()
            && let State::Running(running) = mem::replace(&mut self.0, State::Ended)
        {
            running.abandon();
        }
    }
}

impl Drop for Rpc {
    #[inline]
    fn drop(&mut self) {
        if let State::Running(running) = &self.0 {
            running.drop_unfinished();
        }
    }
}

struct EndOnUnwind<'a>(&'a mut Rpc);

impl Drop for EndOnUnwind<'_> {
    #[cold]
    fn drop(&mut self) {
        self.0.end(Code::Unknown);
    }
}
