//! The guard for RPCs that the attribute can't reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Extensions, HeaderMap};
use tonic::{Code, Status};

use super::deadline::Deadline;
use super::state::{Recorder, Target};
use super::ticket::Ticket;
use crate::counters::LabelValue;
use crate::status::cause_of;

/// A guard that records one RPC, for code that the attribute can't reach: a service without tonic's traits, a tower
/// layer, a proxy.
///
/// The RPC starts when the guard is created. It ends with the first [`complete`](RequestGuard::complete),
/// [`complete_with`](RequestGuard::complete_with) or [`complete_with_cause`](RequestGuard::complete_with_cause) on the
/// guard or any of its clones. If all clones are dropped before that, it ends with `CANCELLED`; with
/// `DEADLINE_EXCEEDED` after the deadline has passed; or with `UNKNOWN` if a panic drops the last one.
///
/// ```
/// use grpc_metrics_runtime::RequestGuard;
/// use grpc_metrics_runtime::tonic::{Code, Status};
///
/// fn proxy(forward: impl Fn() -> Result<(), Status>) -> Result<(), Status> {
///     let guard = RequestGuard::new("shop.Proxy", "Forward");
///     forward().inspect_err(|status| guard.complete_with(status))?;
///     guard.complete(Code::Ok);
///     Ok(())
/// }
/// # proxy(|| Ok(())).unwrap();
/// ```
///
/// A method that is not instrumented has the type `unary`, unless its first guard is [built](RequestGuard::builder)
/// with another kind.
///
/// A guard costs one allocation, which its clones share.
#[derive(Clone, Debug)]
#[must_use = "the RPC ends when the guard is dropped"]
pub struct RequestGuard {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    recorder: Recorder,
    /// Of the server layer, which then counts start and end.
    ticket: Option<Arc<Ticket>>,
    ended: AtomicBool,
}

impl RequestGuard {
    /// Starts an RPC, or takes over that of a server layer whose ticket is in the request's extensions.
    pub(crate) fn start(
        target: Target,
        deadline: Deadline,
        headers: Option<&HeaderMap>,
        extensions: Option<&Extensions>,
    ) -> Self {
        let ticket =
            extensions.and_then(|extensions| Ticket::claim_carried(extensions, &target, headers));
        let recorder = if ticket.is_some() {
            Recorder::unstarted(target, deadline, LabelValue::NONE)
        } else {
            let label = headers.map_or(LabelValue::NONE, |headers| target.label_value(headers));
            Recorder::start(target, deadline, label)
        };
        Self { shared: Arc::new(Shared { recorder, ticket, ended: AtomicBool::new(false) }) }
    }

    /// Ends the RPC with this code. Does nothing if the RPC has ended.
    pub fn complete(&self, code: Code) {
        self.end(code, || None);
    }

    /// Ends the RPC with the status's code and, if an error with `#[derive(GrpcStatus)]` is its source, that error's
    /// cause. Does nothing if the RPC has ended.
    pub fn complete_with(&self, status: &Status) {
        self.end(status.code(), || cause_of(status));
    }

    /// Ends the RPC with this code and cause, which is the `error` label of `grpc_server_errors_total`. Does nothing if
    /// the RPC has ended.
    pub fn complete_with_cause(&self, code: Code, cause: &'static str) {
        self.end(code, || Some(cause));
    }

    fn end(&self, code: Code, cause: impl FnOnce() -> Option<&'static str>) {
        // Relaxed: the flag guards nothing but itself, and one of two callers sees `false`.
        if self.shared.ended.swap(true, Ordering::Relaxed) {
            return;
        }
        // Success is no error, whatever is said of it.
        let cause = if code == Code::Ok { None } else { cause() };
        match (&self.shared.ticket, cause) {
            (Some(ticket), Some(cause)) => ticket.keep_cause(code, cause),
            (Some(_), None) => {}
            (None, None) => drop(self.shared.recorder.end(code)),
            (None, cause) => drop(self.shared.recorder.fail(code, cause)),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !*self.ended.get_mut() && self.ticket.is_none() {
            self.recorder.drop_unfinished();
        }
    }
}
