//! The request's body: its messages, and whether it came whole.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::grpc::Frames;
use crate::rpc::Received;

pin_project! {
    /// A request's body with the RPC it belongs to. It passes everything on.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        frames: Frames,
        received: Option<Received>,
    }
}

impl<B> RequestBody<B> {
    pub(super) fn new(inner: B, received: Option<Received>) -> Self {
        Self { inner, frames: Frames::default(), received }
    }
}

impl<B: Body<Data = Bytes>> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let polled = this.inner.poll_frame(cx);
        if let Some(received) = this.received {
            match &polled {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Some(data) = frame.data_ref() {
                        let added = this.frames.read(data);
                        received.messages(added.messages, added.bytes);
                    }
                }
                // tonic shows handlers the end of the messages.
                Poll::Ready(Some(Err(_))) => received.broken_off(),
                Poll::Ready(None) | Poll::Pending => {}
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
