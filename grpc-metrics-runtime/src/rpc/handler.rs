//! A handler's future that records its RPC.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;
use tonic::{Code, Response, Status};

use super::response_stream::ResponseStream;
use super::state::Rpc;
use crate::status::{WithStatus, cause_of};

/// The stream type of tonic's default stubs, `tonic::codegen::BoxStream`.
pub(crate) type BoxStream<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send + 'static>>;

/// A [`BoxStream`] that is `Sync`.
pub(crate) type SyncBoxStream<M> =
    Pin<Box<dyn Stream<Item = Result<M, Status>> + Send + Sync + 'static>>;

/// A boxed stream without [`Pin`].
pub(crate) type UnpinBoxStream<M> =
    Box<dyn Stream<Item = Result<M, Status>> + Send + Unpin + 'static>;

/// Decides whether the RPC ends when its handler returns or goes on in the response stream.
pub trait Ending<Returned> {
    /// The handler's result as tonic gets it.
    type Output;

    // Takes the whole `Poll`, which avoids moving the result.
    #[doc(hidden)]
    fn end(rpc: &mut Rpc, polled: Poll<Returned>) -> Poll<Self::Output>;
}

/// Ends the RPC with the code of the handler's result.
#[inline]
fn end_with<T>(rpc: &mut Rpc, returned: &Result<Response<T>, Status>) {
    match returned {
        Ok(_) => rpc.end(Code::Ok),
        Err(status) => fail_with(rpc, status),
    }
}

// Compiled once, not in every method.
#[cold]
#[inline(never)]
fn fail_with(rpc: &mut Rpc, status: &Status) {
    // An `Err` whose code is OK has no message. If one is due, tonic's client reports INTERNAL
    // "Missing response message."; a stream may have no messages.
    let is_missing = status.code() == Code::Ok && rpc.awaits_message();
    let code = if is_missing { Code::Internal } else { status.code() };
    rpc.fail(code, || cause_of(status));
}

/// Ends the RPC when the handler returns.
#[derive(Debug)]
pub enum AtReturn {}

impl<M> Ending<Result<Response<M>, Status>> for AtReturn {
    type Output = Result<Response<M>, Status>;

    #[inline]
    fn end(rpc: &mut Rpc, polled: Poll<Result<Response<M>, Status>>) -> Poll<Self::Output> {
        if let Poll::Ready(returned) = &polled {
            end_with(rpc, returned);
        }
        polled
    }
}

/// Moves the RPC into the response stream, which becomes a [`ResponseStream`].
#[derive(Debug)]
pub enum AtStreamEnd {}

impl<S> Ending<Result<Response<S>, Status>> for AtStreamEnd {
    type Output = Result<Response<ResponseStream<S>>, Status>;

    #[inline]
    fn end(rpc: &mut Rpc, polled: Poll<Result<Response<S>, Status>>) -> Poll<Self::Output> {
        let returned = ready!(polled);
        if returned.is_err() {
            end_with(rpc, &returned);
        }
        let wrap = |stream| ResponseStream::new(stream, rpc.take());
        Poll::Ready(returned.map(|response| response.map(wrap)))
    }
}

/// Moves the RPC into the response stream, which is boxed and keeps its type.
#[derive(Debug)]
pub enum AtBoxedStreamEnd {}

macro_rules! at_boxed_stream_end {
    ($($boxed:ident $new:ident)*) => {$(
        impl<M: 'static> Ending<Result<Response<$boxed<M>>, Status>> for AtBoxedStreamEnd {
            type Output = Result<Response<$boxed<M>>, Status>;

            #[inline]
            fn end(
                rpc: &mut Rpc,
                polled: Poll<Result<Response<$boxed<M>>, Status>>,
            ) -> Poll<Self::Output> {
                let wrapped = AtStreamEnd::end(rpc, polled);
                wrapped.map_ok(|response| response.map(|stream| -> $boxed<M> { Box::$new(stream) }))
            }
        }
    )*};
}

at_boxed_stream_end!(BoxStream pin SyncBoxStream pin UnpinBoxStream new);

pin_project! {
    /// A handler's future, which records its RPC.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Handler<F, E> {
        // Dropped before `rpc`, so that `rpc` sees a panic in this drop.
        #[pin]
        future: F,
        rpc: Rpc,
        ending: PhantomData<fn() -> E>,
    }

    impl<F, E> PinnedDrop for Handler<F, E> {
        fn drop(this: Pin<&mut Self>) {
            this.project().rpc.before_drop();
        }
    }
}

impl<F, E> Handler<F, E> {
    #[inline]
    pub(crate) fn new(rpc: Rpc, future: F) -> Self {
        Self { future, rpc, ending: PhantomData }
    }
}

impl<F, E> Future for Handler<F, E>
where
    F: Future,
    F::Output: WithStatus,
    E: Ending<<F::Output as WithStatus>::Returned>,
{
    type Output = E::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let entered = this.rpc.enter();
        // The conversion of the error may panic, so it happens before `leave`.
        let polled = this.future.poll(cx).map(WithStatus::with_status);
        entered.leave();
        E::end(this.rpc, polled)
    }
}
