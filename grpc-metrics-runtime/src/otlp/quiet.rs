//! Futures without spans.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tracing::Dispatch;
use tracing::dispatcher::with_default;

/// A future in which the program's subscriber sees nothing. The spans of HTTP/2 would be exported as traces of their
/// own, which may make more of them.
///
/// `tracing`'s own `WithDispatch` does not apply to the drop, which has spans, too.
#[derive(Debug)]
pub(super) struct Quiet<F: ?Sized>(Option<Pin<Box<F>>>);

impl<F: Future> Quiet<F> {
    pub(super) fn new(future: F) -> Self {
        Self::of(Box::pin(future))
    }
}

impl<F: Future + ?Sized> Quiet<F> {
    pub(super) fn of(future: Pin<Box<F>>) -> Self {
        Self(Some(future))
    }
}

impl<F: Future + ?Sized> Future for Quiet<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(future) = &mut self.0 else { return Poll::Pending };
        with_default(&Dispatch::none(), || future.as_mut().poll(cx))
    }
}

impl<F: ?Sized> Drop for Quiet<F> {
    fn drop(&mut self) {
        with_default(&Dispatch::none(), || drop(self.0.take()));
    }
}
