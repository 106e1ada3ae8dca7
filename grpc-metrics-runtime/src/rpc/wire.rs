//! The server layer's side of an RPC.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::{mem, thread};

use http::Extensions;
use tonic::Code;

use super::claim::Claim;
use super::deadline::Deadline;
use super::span::Ended;
use super::state::Target;
use super::ticket::{Reach, Ticket};
use crate::catalog::MethodKey;
use crate::counters::LabelValue;

/// An RPC that the layer measures. It is moved often, so it is small.
#[derive(Debug)]
pub(crate) struct WireRpc {
    ticket: Arc<Ticket>,
    /// Bytes of the response's messages.
    response_bytes: u64,
    /// Whether the response's headers are there, with which the server's timeout ends.
    answered: bool,
    ended: bool,
}

impl WireRpc {
    /// Starts an RPC that counts in `target`; if that is not `expected`, only if no handler claims the RPC.
    pub(crate) fn start(
        target: Target,
        label: LabelValue,
        expected: bool,
        path: Option<MethodKey>,
        deadline: Deadline,
        server_timeout: Option<u64>,
    ) -> Self {
        let started = if expected { target.start() } else { target.now() };
        let claim = Claim::new(target, label, expected);
        let ticket = Arc::new(Ticket::new(started, deadline, server_timeout, path, claim));
        Self { ticket, response_bytes: 0, answered: false, ended: false }
    }

    /// Puts the ticket into the request's extensions.
    pub(crate) fn ticket(&self, extensions: &mut Extensions) {
        self.ticket.put_into(extensions);
    }

    /// Begins a part of the RPC.
    #[inline]
    pub(crate) fn enter(&mut self) -> Part<'_> {
        Part(self)
    }

    /// Begins a part of the service, with the ticket in reach of handlers.
    pub(crate) fn enter_service(&mut self) -> ServicePart<'_> {
        let reach = Arc::clone(&self.ticket).reach();
        ServicePart { part: self.enter(), reach }
    }

    /// Whether a handler has the RPC.
    pub(crate) fn is_claimed(&self) -> bool {
        !self.ticket.claim.is_open()
    }

    /// Counts an RPC that no handler claims here, where the path did not say.
    pub(crate) fn learn(&self, target: Target) {
        self.ticket.claim.learn(target);
    }

    /// The server's timeout ends with the response's headers.
    pub(crate) fn answered(&mut self) {
        self.answered = true;
    }

    /// Says how much of the response's messages went out.
    #[inline]
    pub(crate) fn sent(&mut self, bytes: u64) {
        self.response_bytes += bytes;
    }

    /// The request's body tells this what it has received.
    #[inline]
    pub(crate) fn received(&self) -> Received {
        Received(Arc::clone(&self.ticket))
    }

    /// Ends the RPC with the status in the response's headers, which no message comes before or after.
    pub(crate) fn end_without_message(&mut self, code: Code) {
        // Where the client awaits a message, tonic's client gives INTERNAL "Missing response message."
        // Of a request that reaches no handler, the status is what its client gets.
        let awaits_message =
            || self.ticket.claim.claimed().is_some_and(|(of, _)| !of.kind.server_streams());
        let is_missing = code == Code::Ok && awaits_message();
        self.end(if is_missing { Code::Internal } else { code });
    }

    /// Ends the RPC with the code that the client gets. The first end counts.
    pub(crate) fn end(&mut self, code: Code) {
        // A handler's error stays. What tonic makes of half a message is nobody's.
        let is_nobody_s = code == Code::Ok || !self.is_claimed();
        // Relaxed: what broke it off woke this.
        if is_nobody_s && self.ticket.broken_off.load(Ordering::Relaxed) {
            self.abandon();
        } else {
            self.end_once(|_| code);
        }
    }

    /// Prepares for the drop of what the RPC is measured around. If the thread is panicking already, the panic began
    /// elsewhere, and the RPC counts as dropped.
    pub(crate) fn before_drop(&mut self) {
        if !self.ended && thread::panicking() {
            self.abandon();
        }
    }

    /// Ends an RPC that is dropped, or whose client is gone.
    #[cold]
    fn abandon(&mut self) {
        let deadline = self.ticket.deadline;
        let timeout = self.ticket.server_timeout.filter(|_| !self.answered);
        self.end_once(|nanos| {
            if deadline.has_passed(nanos) || timeout.is_some_and(|timeout| nanos >= timeout) {
                Code::DeadlineExceeded
            } else {
                Code::Cancelled
            }
        });
    }

    fn end_once(&mut self, code: impl FnOnce(u64) -> Code) {
        if mem::replace(&mut self.ended, true) {
            return;
        }
        let ticket = &*self.ticket;
        let (target, label) = ticket.claim.settle();
        let nanos = target.nanos_since(ticket.started);
        let code = code(nanos);
        target.end(code, nanos, label);
        // Relaxed: what is read late is a client's that is gone.
        let request_bytes = ticket.request_bytes.load(Ordering::Relaxed);
        for _ in 0..ticket.early_messages.swap(0, Ordering::Relaxed) {
            target.message_received();
        }
        target.sizes_of_rpc(code, request_bytes, self.response_bytes);
        // A cause that was found belongs to the handler's code, and the wire may have another.
        let cause = ticket.cause.get().filter(|(of, _)| *of == code).map(|(_, cause)| *cause);
        if let Some(cause) = cause {
            target.count_cause(code, cause);
        }
        ticket.close_span(target, Ended { code, nanos, cause, label });
    }

    #[cold]
    fn drop_unfinished(&mut self) {
        if thread::panicking() {
            self.end_once(|_| Code::Unknown);
        } else {
            self.abandon();
        }
    }
}

impl Drop for WireRpc {
    #[inline]
    fn drop(&mut self) {
        if !self.ended {
            self.drop_unfinished();
        }
    }
}

/// A part of the RPC. If it panics, the RPC ends.
#[derive(Debug)]
#[must_use = "the RPC ends when this is dropped"]
pub(crate) struct Part<'a>(&'a mut WireRpc);

impl Part<'_> {
    /// Marks the end of the part.
    #[inline]
    pub(crate) fn leave(self) {
        mem::forget(self);
    }
}

impl Drop for Part<'_> {
    #[cold]
    fn drop(&mut self) {
        self.0.end_once(|_| Code::Unknown);
    }
}

/// A part of the service. If it panics, the RPC ends.
#[must_use = "the RPC ends when this is dropped"]
pub(crate) struct ServicePart<'a> {
    // Dropped before the ticket is out of reach.
    part: Part<'a>,
    reach: Reach,
}

impl ServicePart<'_> {
    /// Marks the end of the part.
    #[inline]
    pub(crate) fn leave(self) {
        self.part.leave();
        drop(self.reach);
    }
}

/// What the body of a layered request has seen.
#[derive(Debug)]
pub(crate) struct Received(Arc<Ticket>);

impl Received {
    /// Counts messages of a request stream, and bytes of messages.
    pub(crate) fn messages(&self, messages: u64, bytes: u64) {
        let Self(ticket) = self;
        // Relaxed: each stands for itself.
        ticket.request_bytes.fetch_add(bytes, Ordering::Relaxed);
        match ticket.claim.claimed() {
            Some((target, _)) => (0..messages).for_each(|_| target.message_received()),
            None => drop(ticket.early_messages.fetch_add(messages, Ordering::Relaxed)),
        }
    }

    /// The client has broken off the request.
    pub(crate) fn broken_off(&self) {
        self.0.broken_off.store(true, Ordering::Relaxed);
    }
}
