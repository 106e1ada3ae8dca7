//! The handler that the current thread polls, so that a call knows who makes it.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::catalog::{Method, MethodKey};

thread_local! {
    static CURRENT: Cell<Option<&'static Method>> = const { Cell::new(None) };
}

/// The instrumented handler that makes calls, for `grpc_client_edge_requests_total`.
///
/// A call belongs to the handler that the current thread polls. A task that a handler spawns has no caller, unless it is
/// given one:
///
/// ```
/// use grpc_metrics_runtime::Caller;
///
/// # async fn handler(call: impl Future<Output = ()> + Send + 'static) {
/// // In a handler:
/// tokio::spawn(Caller::current().scope(call));
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Caller(Option<&'static Method>);

impl Caller {
    /// Returns the handler that the current thread polls, or none.
    #[inline]
    pub fn current() -> Self {
        Self(CURRENT.get())
    }

    /// Makes this the caller of all calls that the future makes.
    pub fn scope<F: Future>(self, future: F) -> Scoped<F> {
        Scoped { future, caller: self }
    }

    #[inline]
    pub(super) fn of(method: &'static Method) -> Self {
        Self(Some(method))
    }

    /// Makes this the current caller, and returns the one before.
    #[inline]
    pub(super) fn replace(self) -> Self {
        Self(CURRENT.replace(self.0))
    }

    /// Returns the labels of the handler.
    pub(super) fn labels(self) -> Option<[&'static str; 2]> {
        let MethodKey { service, method, .. } = self.0?.key();
        Some([service, method])
    }
}

pin_project! {
    /// The future of [`Caller::scope`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Scoped<F> {
        #[pin]
        future: F,
        caller: Caller,
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        /// Restores the caller before, even if the future panics.
        struct Restore(Caller);
        impl Drop for Restore {
            fn drop(&mut self) {
                self.0.replace();
            }
        }
        let this = self.project();
        let _restore = Restore(this.caller.replace());
        this.future.poll(cx)
    }
}
