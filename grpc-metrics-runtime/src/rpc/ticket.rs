//! What joins the server layer with the handler of one RPC.

use std::cell::Cell;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use http::{Extensions, HeaderMap};
use tonic::Code;

use super::claim::Claim;
use super::deadline::Deadline;
use super::span::{Ended, RpcSpan};
use super::state::Target;
use crate::catalog::{Method, MethodKey};
use crate::counters::{Instant, LabelValue};

/// Whether the program has ever made a layer. Handlers of those that have not look for no ticket.
static LAYERED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The ticket of the RPC whose service this thread is polling.
    static CURRENT: Cell<Option<Arc<Ticket>>> = const { Cell::new(None) };
}

/// An RPC that the layer measures. The first handler that finds it claims it, and then says where the RPC
/// counts and what caused its end. The layer says when it starts and ends, and with which code.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(super) started: Instant,
    pub(super) deadline: Deadline,
    /// In nanoseconds.
    pub(super) server_timeout: Option<u64>,
    /// The method that the path names, if it is known.
    path: Option<MethodKey>,
    pub(super) claim: Claim,
    pub(super) cause: OnceLock<(Code, &'static str)>,
    /// Bytes of the request's messages.
    pub(super) request_bytes: AtomicU64,
    /// Messages of the request that came before a handler said where the RPC counts.
    pub(super) early_messages: AtomicU64,
    /// Whether the client has broken off its request.
    pub(super) broken_off: AtomicBool,
    /// Whether the handler has a span. Without one, the lock below is not taken.
    has_span: AtomicBool,
    span: Mutex<Kept>,
}

/// The handler's span until the RPC has ended, and then how it ended: whichever of the two comes last closes the span.
#[derive(Debug, Default)]
enum Kept {
    #[default]
    Nothing,
    Span(RpcSpan),
    Ended(Ended),
}

/// What was in reach before.
#[must_use = "the ticket is in reach until this is dropped"]
pub(super) struct Reach(Option<Arc<Ticket>>);

impl Drop for Reach {
    fn drop(&mut self) {
        let before = self.0.take();
        let _ = CURRENT.try_with(|current| current.set(before));
    }
}

/// A ticket in a request's extensions.
#[derive(Clone, Debug)]
struct Carried(Arc<Ticket>);

impl Ticket {
    pub(super) fn new(
        started: Instant,
        deadline: Deadline,
        server_timeout: Option<u64>,
        path: Option<MethodKey>,
        claim: Claim,
    ) -> Self {
        Self {
            started,
            deadline,
            server_timeout,
            path,
            claim,
            cause: OnceLock::new(),
            request_bytes: AtomicU64::new(0),
            early_messages: AtomicU64::new(0),
            broken_off: AtomicBool::new(false),
            has_span: AtomicBool::new(false),
            span: Mutex::default(),
        }
    }

    /// Puts the ticket into a request's extensions.
    pub(super) fn put_into(self: &Arc<Self>, extensions: &mut Extensions) {
        extensions.insert(Carried(Arc::clone(self)));
    }

    /// Claims the ticket of the RPC that a handler is called for; none if there is no layer, or another handler
    /// was first.
    #[inline]
    pub(super) fn claim(
        extensions: &Extensions,
        method: &Method,
        target: &Target,
        headers: &HeaderMap,
    ) -> Option<Arc<Self>> {
        // Relaxed: a request that comes through a layer happens after the layer is made.
        if LAYERED.load(Ordering::Relaxed) {
            Self::find_and_claim(extensions, method, target, headers)
        } else {
            None
        }
    }

    #[inline(never)]
    fn find_and_claim(
        extensions: &Extensions,
        method: &Method,
        target: &Target,
        headers: &HeaderMap,
    ) -> Option<Arc<Self>> {
        // Interceptors and layers may drop the extensions. And they may call the handler of another method.
        let current = || Self::current().filter(|ticket| ticket.may_be_for(method));
        Self::carried(extensions).or_else(current)?.claim_for(target, Some(headers))
    }

    fn current() -> Option<Arc<Self>> {
        let get = |current: &Cell<Option<Arc<Self>>>| {
            let ticket = current.take();
            current.set(ticket.clone());
            ticket
        };
        CURRENT.try_with(get).ok()?
    }

    /// Puts the ticket in reach of the handlers that this thread calls, until the guard is dropped.
    pub(super) fn reach(self: Arc<Self>) -> Reach {
        Reach(CURRENT.try_with(|current| current.replace(Some(self))).ok().flatten())
    }

    fn may_be_for(&self, method: &Method) -> bool {
        self.path.is_none_or(|path| path == method.key())
    }

    /// The same, by the extensions alone.
    pub(super) fn claim_carried(
        extensions: &Extensions,
        target: &Target,
        headers: Option<&HeaderMap>,
    ) -> Option<Arc<Self>> {
        Self::carried(extensions)?.claim_for(target, headers)
    }

    fn carried(extensions: &Extensions) -> Option<Arc<Self>> {
        extensions.get::<Carried>().map(|Carried(ticket)| Arc::clone(ticket))
    }

    fn claim_for(
        self: Arc<Self>,
        target: &Target,
        headers: Option<&HeaderMap>,
    ) -> Option<Arc<Self>> {
        let label = || headers.map_or(LabelValue::NONE, |headers| target.label_value(headers));
        self.claim.claim(target, label).then_some(self)
    }

    /// Keeps the cause of a handler's error for the end of the RPC.
    pub(super) fn keep_cause(&self, code: Code, cause: &'static str) {
        let _ = self.cause.set((code, cause));
    }

    /// Announces a span. Called before the handler runs.
    pub(super) fn expect_span(&self) {
        // Relaxed: what runs or ends the handler happens after this.
        self.has_span.store(true, Ordering::Relaxed);
    }

    /// Keeps the handler's span open until the end of the RPC.
    pub(super) fn keep_span(&self, mut span: RpcSpan, target: &Target) {
        if span.is_some() {
            let mut kept = self.kept();
            if let Kept::Ended(ended) = *kept {
                drop(kept);
                span.close(target, &ended);
            } else {
                *kept = Kept::Span(span);
            }
        }
    }

    /// Closes the handler's span, now or when it comes.
    pub(super) fn close_span(&self, target: &Target, ended: Ended) {
        // Relaxed: see `expect_span`.
        if self.has_span.load(Ordering::Relaxed) {
            let kept = mem::replace(&mut *self.kept(), Kept::Ended(ended));
            if let Kept::Span(mut span) = kept {
                span.close(target, &ended);
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.span.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a layer around measures the RPC of this request, and no handler has it yet.
pub(crate) fn is_measured(extensions: &Extensions) -> bool {
    match extensions.get::<Carried>() {
        Some(Carried(ticket)) => ticket.claim.is_open(),
        None => Ticket::current().is_some_and(|ticket| ticket.claim.is_open()),
    }
}

/// Says that the program has a layer, so that handlers look for tickets.
pub(crate) fn layered() {
    LAYERED.store(true, Ordering::Relaxed);
}
