//! The server layer's side of an RPC.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::{mem, thread};

use http::Extensions;
use tonic::Code;

use super::deadline::Deadline;
use super::span::Ended;
use super::state::Target;
use super::ticket::Ticket;
use crate::catalog::MethodKey;

/// An RPC that the layer measures.
#[derive(Debug)]
pub(crate) struct WireRpc {
    ticket: Arc<Ticket>,
    /// Where the RPC counts if no handler claims it and the path does not say.
    other: Target,
    server_timeout: Option<u64>,
    /// Bytes of the response's messages.
    response_bytes: u64,
    ended: bool,
}

impl WireRpc {
    /// Starts an RPC that counts in `expected`, or in `other` if that is not known and no handler claims the RPC.
    pub(crate) fn start(
        expected: Option<Target>,
        other: Target,
        path: Option<MethodKey>,
        deadline: Deadline,
        server_timeout: Option<u64>,
    ) -> Self {
        let started = match &expected {
            Some(expected) => expected.start(),
            None => other.now(),
        };
        let ticket = Arc::new(Ticket::new(started, deadline, expected, path));
        Self { ticket, other, server_timeout, response_bytes: 0, ended: false }
    }

    /// Puts the ticket into the request's extensions.
    pub(crate) fn ticket(&self, extensions: &mut Extensions) {
        self.ticket.put_into(extensions);
    }

    /// Runs a part of the RPC. If it panics, the RPC ends.
    pub(crate) fn guarded<T>(&mut self, part: impl FnOnce() -> T) -> T {
        struct OnPanic<'a>(&'a mut WireRpc);
        impl Drop for OnPanic<'_> {
            fn drop(&mut self) {
                self.0.end(Code::Unknown);
            }
        }
        let on_panic = OnPanic(self);
        let done = part();
        mem::forget(on_panic);
        done
    }

    /// Runs a part of the service with the ticket in reach of handlers. If it panics, the RPC ends.
    pub(crate) fn during<T>(&mut self, part: impl FnOnce() -> T) -> T {
        let _reach = Arc::clone(&self.ticket).reach();
        self.guarded(part)
    }

    /// Whether a handler has the RPC.
    pub(crate) fn is_claimed(&self) -> bool {
        self.ticket.claimed.get().is_some()
    }

    /// Counts an RPC that no handler claims here from now on, where the path did not say.
    pub(crate) fn other_is(&mut self, other: Target) {
        self.other = other;
    }

    /// The server's timeout ends with the response's headers.
    pub(crate) fn answered(&mut self) {
        self.server_timeout = None;
    }

    /// Says how much of the response's messages went out.
    pub(crate) fn sent(&mut self, bytes: u64) {
        self.response_bytes += bytes;
    }

    /// The request's body tells this what it has received.
    pub(crate) fn received(&self) -> Received {
        Received(Arc::clone(&self.ticket))
    }

    /// Ends the RPC with the status in the response's headers, which no message comes before or after.
    pub(crate) fn end_without_message(&mut self, code: Code) {
        // Where the client awaits a message, tonic's client gives INTERNAL "Missing response message."
        // Of a request that reaches no handler, the status is what its client gets.
        let awaits_message = || self.ticket.claimed().is_some_and(|of| !of.kind.server_streams());
        let is_missing = code == Code::Ok && awaits_message();
        self.end(if is_missing { Code::Internal } else { code });
    }

    /// Ends the RPC with the code that the client gets. The first end counts.
    pub(crate) fn end(&mut self, code: Code) {
        // Relaxed: what broke it off woke this.
        if code == Code::Ok && self.ticket.broken_off.load(Ordering::Relaxed) {
            self.abandon();
        } else {
            self.end_once(|_| code);
        }
    }

    /// Prepares for the drop of what the RPC is measured around. If the thread is panicking already, the panic began
    /// elsewhere, and the RPC counts as dropped.
    pub(crate) fn before_drop(&mut self) {
        if thread::panicking() {
            self.abandon();
        }
    }

    /// Ends an RPC that is dropped, or whose client is gone.
    #[cold]
    fn abandon(&mut self) {
        let deadline = self.ticket.deadline;
        let timeout = self.server_timeout;
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
        let target = self.target();
        let nanos = target.nanos_since(self.ticket.started);
        let code = code(nanos);
        target.end(code, nanos);
        // Relaxed: what is read late is a client's that is gone.
        let request_bytes = self.ticket.request_bytes.load(Ordering::Relaxed);
        for _ in 0..self.ticket.early_messages.swap(0, Ordering::Relaxed) {
            target.message_received();
        }
        target.sizes_of_rpc(request_bytes, self.response_bytes);
        self.close(&target, code, nanos);
    }

    fn target(&self) -> Target {
        let claimed = self.ticket.claimed.get_or_init(|| None);
        let counted = claimed.as_ref().or(self.ticket.expected.as_ref());
        counted.cloned().unwrap_or_else(|| {
            self.other.move_in();
            self.other.clone()
        })
    }

    fn close(&self, target: &Target, code: Code, nanos: u64) {
        // A cause that was found belongs to the handler's code, and the wire may have another.
        let cause = self.ticket.cause.get().filter(|(of, _)| *of == code).map(|(_, cause)| *cause);
        if let Some(cause) = cause {
            target.count_cause(code, cause);
        }
        self.ticket.close_span(target, Ended { code, nanos, cause });
    }
}

impl Drop for WireRpc {
    fn drop(&mut self) {
        if thread::panicking() {
            self.end(Code::Unknown);
        } else {
            self.abandon();
        }
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
        match ticket.claimed() {
            Some(target) => (0..messages).for_each(|_| target.message_received()),
            None => drop(ticket.early_messages.fetch_add(messages, Ordering::Relaxed)),
        }
    }

    /// The client has broken off the request.
    pub(crate) fn broken_off(&self) {
        self.0.broken_off.store(true, Ordering::Relaxed);
    }
}
