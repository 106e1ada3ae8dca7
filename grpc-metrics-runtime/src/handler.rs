//! The future that carries an RPC through its handler.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;
use tonic::{Response, Status};

use crate::ResponseStream;
use crate::guard::Rpc;

/// What tonic's default stubs answer a stream with: `tonic::codegen::BoxStream`.
pub(crate) type BoxStream<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send + 'static>>;

/// What becomes of the RPC once its handler has returned.
pub trait Ending<Returned> {
    /// What the server gets.
    type Output;

    #[doc(hidden)]
    fn end(rpc: &mut Rpc, returned: Returned) -> Self::Output;
}

/// The RPC ends when the handler returns.
#[derive(Debug)]
pub enum AtReturn {}

impl<M> Ending<Result<Response<M>, Status>> for AtReturn {
    type Output = Result<Response<M>, Status>;

    #[inline]
    fn end(rpc: &mut Rpc, returned: Result<Response<M>, Status>) -> Self::Output {
        rpc.end_with(&returned);
        returned
    }
}

/// The RPC goes on in the response stream, whose type says so.
#[derive(Debug)]
pub enum AtStreamEnd {}

impl<S> Ending<Result<Response<S>, Status>> for AtStreamEnd {
    type Output = Result<Response<ResponseStream<S>>, Status>;

    #[inline]
    fn end(rpc: &mut Rpc, returned: Result<Response<S>, Status>) -> Self::Output {
        if returned.is_err() {
            rpc.end_with(&returned);
        }
        Ok(returned?.map(|stream| ResponseStream::new(stream, rpc.hand_over())))
    }
}

/// The RPC goes on in the response stream, whose type stays as it is.
#[derive(Debug)]
pub enum AtBoxedStreamEnd {}

impl<M: 'static> Ending<Result<Response<BoxStream<M>>, Status>> for AtBoxedStreamEnd {
    type Output = Result<Response<BoxStream<M>>, Status>;

    #[inline]
    fn end(rpc: &mut Rpc, returned: Result<Response<BoxStream<M>>, Status>) -> Self::Output {
        let carried = AtStreamEnd::end(rpc, returned)?;
        Ok(carried.map(|stream| -> BoxStream<M> { Box::pin(stream) }))
    }
}

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
    E: Ending<F::Output>,
{
    type Output = E::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let returned = ready!(this.rpc.run(|| this.future.poll(cx)));
        Poll::Ready(E::end(this.rpc, returned))
    }
}
