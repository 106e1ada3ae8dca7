//! What joins the server layer with the handler of one RPC.

use std::cell::RefCell;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use http::Extensions;
use tonic::Code;

use super::deadline::Deadline;
use super::span::{Ended, RpcSpan};
use super::state::Target;
use crate::counters::Instant;

/// Whether the program has ever made a layer. Handlers of those that have not look for no ticket.
static LAYERED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The ticket of the RPC whose service this thread is polling.
    static CURRENT: RefCell<Option<Arc<Ticket>>> = const { RefCell::new(None) };
}

/// An RPC that the layer measures. The first handler that finds it claims it, and then says where the RPC
/// counts and what caused its end. The layer says when it starts and ends, and with which code.
#[derive(Debug)]
pub(crate) struct Ticket {
    started: Instant,
    deadline: Deadline,
    /// Where the start is counted already, since the path said it.
    expected: Option<Target>,
    /// `None` once the RPC has ended without a handler.
    claimed: OnceLock<Option<Target>>,
    cause: OnceLock<(Code, &'static str)>,
    /// Bytes of the request's messages.
    request_bytes: AtomicU64,
    /// Messages of the request that came before it was known where the RPC counts.
    early_messages: AtomicU64,
    /// Whether the client has broken off its request.
    broken_off: AtomicBool,
    /// Of the handler, to be closed with the code on the wire. A lock that nobody else ever holds.
    span: OnceLock<Mutex<RpcSpan>>,
}

/// A ticket in a request's extensions.
#[derive(Clone, Debug)]
struct Carried(Arc<Ticket>);

impl Ticket {
    /// Claims the ticket of the RPC that a handler is called for; none if there is no layer, or another handler
    /// was first.
    #[inline]
    pub(super) fn claim(extensions: &Extensions, target: &Target) -> Option<Arc<Self>> {
        // Relaxed: a request that comes through a layer happens after the layer is made.
        if !LAYERED.load(Ordering::Relaxed) {
            return None;
        }
        Self::of_request(extensions)?.claim_for(target)
    }

    fn of_request(extensions: &Extensions) -> Option<Arc<Self>> {
        // Interceptors and layers may drop the extensions.
        let current = || CURRENT.try_with(|current| current.borrow().clone()).ok()?;
        Self::carried(extensions).or_else(current)
    }

    /// The same, by the extensions alone.
    pub(super) fn claim_carried(extensions: &Extensions, target: &Target) -> Option<Arc<Self>> {
        Self::carried(extensions)?.claim_for(target)
    }

    fn carried(extensions: &Extensions) -> Option<Arc<Self>> {
        extensions.get::<Carried>().map(|Carried(ticket)| Arc::clone(ticket))
    }

    fn claim_for(self: Arc<Self>, target: &Target) -> Option<Arc<Self>> {
        let mut is_first = false;
        self.claimed.get_or_init(|| {
            is_first = true;
            if let Some(expected) = &self.expected
                && !expected.is(target)
            {
                expected.move_out();
                target.move_in();
            } else if self.expected.is_none() {
                target.move_in();
            }
            Some(target.clone())
        });
        is_first.then_some(self)
    }

    /// Where the RPC counts, as far as that is known.
    fn known(&self) -> Option<&Target> {
        match self.claimed.get() {
            Some(Some(claimed)) => Some(claimed),
            _ => self.expected.as_ref(),
        }
    }

    /// Keeps the cause of a handler's error for the end of the RPC.
    pub(super) fn keep_cause(&self, code: Code, cause: &'static str) {
        let _ = self.cause.set((code, cause));
    }

    /// Keeps the handler's span open until the end of the RPC.
    pub(super) fn keep_span(&self, span: RpcSpan) {
        if span.is_some() {
            let _ = self.span.set(Mutex::new(span));
        }
    }
}

/// The layer's side of an RPC.
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
        deadline: Deadline,
        server_timeout: Option<u64>,
    ) -> Self {
        let started = match &expected {
            Some(expected) => expected.start(),
            None => other.now(),
        };
        let ticket = Arc::new(Ticket {
            started,
            deadline,
            expected,
            claimed: OnceLock::new(),
            cause: OnceLock::new(),
            request_bytes: AtomicU64::new(0),
            early_messages: AtomicU64::new(0),
            broken_off: AtomicBool::new(false),
            span: OnceLock::new(),
        });
        Self { ticket, other, server_timeout, response_bytes: 0, ended: false }
    }

    /// Puts the ticket into the request's extensions.
    pub(crate) fn ticket(&self, extensions: &mut Extensions) {
        extensions.insert(Carried(Arc::clone(&self.ticket)));
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
        struct Restore(Option<Arc<Ticket>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                let before = self.0.take();
                let _ = CURRENT.try_with(|current| current.replace(before));
            }
        }
        let ticket = Some(Arc::clone(&self.ticket));
        let before = CURRENT.try_with(|current| current.replace(ticket)).ok().flatten();
        let _restore = Restore(before);
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
        let awaits_message = || self.ticket.known().is_some_and(|of| !of.kind.server_streams());
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

    /// Ends an RPC that is dropped, or whose client is gone.
    #[cold]
    fn abandon(&mut self) {
        let deadline = self.ticket.deadline;
        let timeout = self.server_timeout;
        self.end_once(|nanos| {
            if std::thread::panicking() {
                Code::Unknown
            } else if deadline.has_passed(nanos) || timeout.is_some_and(|timeout| nanos >= timeout)
            {
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
        if let Some(span) = self.ticket.span.get() {
            let mut span = span.lock().unwrap_or_else(PoisonError::into_inner);
            span.close(target, &Ended { code, nanos, cause });
        }
    }
}

impl Drop for WireRpc {
    fn drop(&mut self) {
        self.abandon();
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
        match ticket.known() {
            Some(target) => (0..messages).for_each(|_| target.message_received()),
            None => drop(ticket.early_messages.fetch_add(messages, Ordering::Relaxed)),
        }
    }

    /// The client has broken off the request.
    pub(crate) fn broken_off(&self) {
        self.0.broken_off.store(true, Ordering::Relaxed);
    }
}

/// Whether a layer around measures the RPC of this request, and no handler has it yet.
pub(crate) fn is_measured(extensions: &Extensions) -> bool {
    Ticket::of_request(extensions).is_some_and(|ticket| ticket.claimed.get().is_none())
}

/// Says that the program has a layer, so that handlers look for tickets.
pub(crate) fn layered() {
    LAYERED.store(true, Ordering::Relaxed);
}
