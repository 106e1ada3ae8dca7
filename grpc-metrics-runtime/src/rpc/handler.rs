//! The future that carries an RPC through its handler.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;
use tonic::{Code, Response, Status};

use super::response_stream::ResponseStream;
use super::state::Rpc;
use crate::status::{WithStatus, cause_of};

/// What tonic's default stubs answer a stream with: `tonic::codegen::BoxStream`.
pub(crate) type BoxStream<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send + 'static>>;

/// The same for who shares it between threads.
pub(crate) type SyncBoxStream<M> =
    Pin<Box<dyn Stream<Item = Result<M, Status>> + Send + Sync + 'static>>;

/// The same for who does without [`Pin`].
pub(crate) type UnpinBoxStream<M> =
    Box<dyn Stream<Item = Result<M, Status>> + Send + Unpin + 'static>;

/// What becomes of the RPC once its handler has returned.
pub trait Ending<Returned> {
    /// What the server gets.
    type Output;

    // Takes the whole `Poll`, so that what the handler has written need not be moved.
    #[doc(hidden)]
    fn end(rpc: &mut Rpc, polled: Poll<Returned>) -> Poll<Self::Output>;
}

/// Ends the RPC of a handler that has returned, where no stream goes on for it.
#[inline]
fn end_with<T>(rpc: &mut Rpc, returned: &Result<Response<T>, Status>) {
    match returned {
        Ok(_) => rpc.end(Code::Ok),
        Err(status) => {
            // A status that says OK carries no message. Where the client awaits one, tonic's client
            // gives INTERNAL "Missing response message."; a stream without messages is a legal answer.
            let is_missing = status.code() == Code::Ok && rpc.awaits_message();
            let code = if is_missing { Code::Internal } else { status.code() };
            rpc.fail(code, || cause_of(status));
        }
    }
}

/// The RPC ends when the handler returns.
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

/// The RPC goes on in the response stream, whose type says so.
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
        let carry = |stream| ResponseStream::new(stream, rpc.hand_over());
        Poll::Ready(returned.map(|response| response.map(carry)))
    }
}

/// The RPC goes on in the response stream, whose type stays as it is.
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
                let carried = AtStreamEnd::end(rpc, polled);
                carried.map_ok(|response| response.map(|stream| -> $boxed<M> { Box::$new(stream) }))
            }
        }
    )*};
}

at_boxed_stream_end!(BoxStream pin SyncBoxStream pin UnpinBoxStream new);

pin_project! {
    /// A handler's future with its RPC.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Handler<F, E> {
        // Dropped before `rpc`, which so sees a panic in the future's drop.
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
        // The handler's own error becomes a status inside, in case that panics.
        let polled = this.future.poll(cx).map(WithStatus::with_status);
        entered.leave();
        E::end(this.rpc, polled)
    }
}
