//! A response stream that records its RPC after the handler has returned.

use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;
use tonic::{Code, Status};

use super::state::Rpc;
use crate::status::{IntoStatus, cause_of};

pin_project! {
    /// A handler's response stream, which records its RPC.
    ///
    /// In an instrumented impl, `type WatchStream = T;` becomes a `ResponseStream<T>`, unless `T` is a boxed stream,
    /// which keeps its type. It yields the items of the handler's stream and dereferences to it. To keep `T` itself,
    /// box the stream or set `#[instrument_grpc(streams = false)]`.
    ///
    /// The RPC ends when the stream ends, yields its first error, or is dropped.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct ResponseStream<S> {
        // Dropped before `rpc`, so that `rpc` sees a panic in this drop. `None` only inside `into_inner`.
        #[pin]
        stream: Option<S>,
        rpc: Rpc,
    }

    impl<S> PinnedDrop for ResponseStream<S> {
        fn drop(this: Pin<&mut Self>) {
            this.project().rpc.before_drop();
        }
    }
}

const IS_THERE: &str = "only `into_inner` takes the stream, and consumes `self`";

#[allow(clippy::missing_panics_doc)] // see `IS_THERE`
impl<S> ResponseStream<S> {
    #[inline]
    pub(crate) fn new(stream: S, rpc: Rpc) -> Self {
        Self { stream: Some(stream), rpc }
    }

    /// Returns a reference to the handler's stream.
    pub fn get_ref(&self) -> &S {
        self.stream.as_ref().expect(IS_THERE)
    }

    /// Returns a mutable reference to the handler's stream. Items polled through it are not recorded.
    pub fn get_mut(&mut self) -> &mut S {
        self.stream.as_mut().expect(IS_THERE)
    }

    /// Returns the handler's stream, and ends the RPC with `OK`: what the stream does from here on is not recorded.
    ///
    /// Use it to pass on a sibling method's stream, or in a test.
    pub fn into_inner(mut self) -> S {
        self.rpc.end(Code::Ok);
        self.stream.take().expect(IS_THERE)
    }
}

/// Dereferences to the handler's stream, to call its own methods. Items polled through it are not recorded.
impl<S> Deref for ResponseStream<S> {
    type Target = S;

    fn deref(&self) -> &S {
        self.get_ref()
    }
}

/// See [`Deref`](#impl-Deref-for-ResponseStream<S>).
impl<S> DerefMut for ResponseStream<S> {
    fn deref_mut(&mut self) -> &mut S {
        self.get_mut()
    }
}

impl<S: MessageStream> Stream for ResponseStream<S> {
    type Item = Result<S::Message, Status>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let entered = this.rpc.enter();
        // The conversion of the error may panic, so it happens before `leave`.
        let polled = match this.stream.as_pin_mut() {
            Some(stream) => stream.poll_next(cx).map(|item| item.map(S::into_result)),
            None => Poll::Ready(None),
        };
        entered.leave();
        match &polled {
            Poll::Ready(Some(Ok(_))) => this.rpc.message_sent(),
            // tonic sends the status and drops the stream, so nothing that follows is sent.
            Poll::Ready(Some(Err(status))) => this.rpc.fail(status.code(), || cause_of(status)),
            Poll::Ready(None) => this.rpc.end(Code::Ok),
            Poll::Pending => {}
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.get_ref().size_hint()
    }
}

/// A stream whose items are results with an error that converts into a [`Status`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a response stream: it has to be a `Stream<Item = Result<_, Status>>`",
    label = "expected a `Stream<Item = Result<_, tonic::Status>>`",
    note = "set `streams = false` to leave the stream types of the impl unchanged"
)]
pub trait MessageStream: Stream {
    /// The message of an item.
    type Message;

    #[doc(hidden)]
    fn into_result(item: Self::Item) -> Result<Self::Message, Status>;
}

// The message is an associated type of the item, not a parameter. With a parameter, a wrong message would be reported
// as a missing impl of this trait; so the compiler reports the message that the service's trait expects.
#[diagnostic::do_not_recommend]
impl<S> MessageStream for S
where
    S: Stream,
    S::Item: StreamItem,
{
    type Message = <S::Item as StreamItem>::Message;

    #[inline]
    fn into_result(item: S::Item) -> Result<Self::Message, Status> {
        item.into_result()
    }
}

/// An item of a response stream.
pub trait StreamItem {
    /// The message that the client gets.
    type Message;

    #[doc(hidden)]
    fn into_result(self) -> Result<Self::Message, Status>;
}

impl<M, E: IntoStatus> StreamItem for Result<M, E> {
    type Message = M;

    #[inline]
    fn into_result(self) -> Result<M, Status> {
        self.map_err(IntoStatus::into_status)
    }
}
