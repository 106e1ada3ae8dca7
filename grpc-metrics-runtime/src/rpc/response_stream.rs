//! The response stream that carries an RPC on after its handler has returned.

use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;
use tonic::{Code, Status};

use super::state::Rpc;
use crate::status::{IntoStatus, cause_of};

pin_project! {
    /// A handler's response stream with the RPC it belongs to.
    ///
    /// It is what `type WatchStream = T;` becomes in an instrumented impl, unless `T` is a boxed stream, which
    /// stays what it is. It passes on everything that the handler's own stream yields, and gives its methods.
    /// Where `T` itself is named outside the impl, `#[instrument_grpc(streams = false)]` leaves it alone, or a
    /// boxed type does. The RPC ends when the stream does: with its last poll, with the first error it yields, or
    /// when it is dropped.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct ResponseStream<S> {
        // Dropped before `rpc`, which so sees a panic in the stream's drop. `None` only inside `into_inner`.
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

    /// Returns the handler's own stream.
    pub fn get_ref(&self) -> &S {
        self.stream.as_ref().expect(IS_THERE)
    }

    /// Returns the handler's own stream. The metrics do not see what is taken from it directly.
    pub fn get_mut(&mut self) -> &mut S {
        self.stream.as_mut().expect(IS_THERE)
    }

    /// Unwraps the handler's own stream: to pass on a sibling method's stream as it is, or in a test.
    ///
    /// Ends the RPC with `OK`, since the metrics do not see the stream from here on.
    pub fn into_inner(mut self) -> S {
        self.rpc.end(Code::Ok);
        self.stream.take().expect(IS_THERE)
    }
}

/// For the stream's own methods, in tests for one. What is taken from it directly is not seen by the metrics.
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
        // The stream's own error becomes a status inside, in case that panics.
        let polled = match this.stream.as_pin_mut() {
            Some(stream) => stream.poll_next(cx).map(|item| item.map(S::into_result)),
            None => Poll::Ready(None),
        };
        entered.leave();
        match &polled {
            Poll::Ready(Some(Ok(_))) => this.rpc.message_sent(),
            // tonic sends the status and drops the stream; whatever would follow is not sent.
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

/// What may become a response stream: its errors are any that convert into a [`Status`].
#[diagnostic::on_unimplemented(
    message = "a response stream is a `Stream<Item = Result<_, Status>>`, and `{Self}` is none",
    label = "expected a `Stream<Item = Result<_, tonic::Status>>`",
    note = "`streams = false` leaves the stream types of an impl alone"
)]
pub trait MessageStream: Stream {
    /// What the stream yields.
    type Message;

    #[doc(hidden)]
    fn into_result(item: Self::Item) -> Result<Self::Message, Status>;
}

// The message is taken from the item, so that a wrong one is the compiler's to explain: it knows what the
// trait expects. With a parameter for the message, this impl would not hold for a stream of others.
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

/// What a response stream yields.
pub trait StreamItem {
    /// What the client gets.
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
