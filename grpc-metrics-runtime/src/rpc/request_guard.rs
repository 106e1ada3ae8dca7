//! The guard for RPCs that no attribute can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tonic::{Code, Status};

use super::deadline::Deadline;
use super::state::{Measured, Target};
use crate::status::cause_of;

/// Measures one RPC by hand: for a service written without tonic's traits, a tower layer, a proxy.
///
/// The RPC starts with the guard and ends with the first [`complete`](RequestGuard::complete) on it or
/// any of its clones. If the last clone is dropped before, that is an end too: `CANCELLED`, or
/// `DEADLINE_EXCEEDED` once the time of the request's `grpc-timeout` is up, or `UNKNOWN` if a panic drops it.
/// Nothing is lost on a forgotten path.
///
/// ```
/// use grpc_metrics_runtime::RequestGuard;
/// use grpc_metrics_runtime::tonic::{Code, Status};
///
/// fn proxy(forward: impl Fn() -> Result<(), Status>) -> Result<(), Status> {
///     let guard = RequestGuard::new("shop.Proxy", "Forward");
///     forward().inspect_err(|status| guard.complete(status.code()))?;
///     guard.complete(Code::Ok);
///     Ok(())
/// }
/// # proxy(|| Ok(())).unwrap();
/// ```
///
/// A method that is not instrumented shows as `unary`, unless [its first guard](RequestGuard::builder) gives another
/// kind.
///
/// A guard costs one allocation, which its clones share.
#[derive(Clone, Debug)]
#[must_use = "the RPC ends when the guard is dropped"]
pub struct RequestGuard {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    measured: Measured,
    ended: AtomicBool,
}

impl RequestGuard {
    pub(crate) fn start(target: Target, deadline: Deadline) -> Self {
        let measured = Measured::start(target, deadline);
        Self { shared: Arc::new(Shared { measured, ended: AtomicBool::new(false) }) }
    }

    /// Ends the RPC with this code. The first call counts, later ones change nothing.
    pub fn complete(&self, code: Code) {
        if self.ends() {
            self.shared.measured.end(code);
        }
    }

    /// Ends the RPC with the status's code, and with the cause that `#[derive(GrpcStatus)]` gave it. The first end
    /// counts, later ones change nothing.
    pub fn complete_with(&self, status: &Status) {
        if self.ends() {
            self.shared.measured.fail(status.code(), cause_of(status));
        }
    }

    /// Ends the RPC with this code and cause, the `error` label of `grpc_server_errors_total`. The first end counts, later
    /// ones change nothing.
    pub fn complete_with_cause(&self, code: Code, cause: &'static str) {
        if self.ends() {
            self.shared.measured.fail(code, Some(cause));
        }
    }

    fn ends(&self) -> bool {
        // Relaxed: the flag guards nothing but itself, and one of two callers sees `false`.
        !self.shared.ended.swap(true, Ordering::Relaxed)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !*self.ended.get_mut() {
            self.measured.drop_unfinished();
        }
    }
}
