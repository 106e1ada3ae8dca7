//! The messages of a request stream.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tonic::Status;
use tonic::body::Body;

use crate::grpc::Frames;
use crate::rpc::Target;

/// Counts the request's messages, if they may be a stream.
#[inline]
pub(super) fn count_messages(request: &mut Request<Body>, counters: &Target) {
    if counters.kind.client_streams() {
        let inner = mem::take(request.body_mut());
        let counters = counters.clone();
        *request.body_mut() = Body::new(Counted { inner, frames: Frames::default(), counters });
    }
}

pin_project! {
    /// A request's body. It passes everything on.
    struct Counted {
        #[pin]
        inner: Body,
        frames: Frames,
        counters: Target,
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        let polled = this.inner.poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            let added = this.frames.read(data);
            (0..added.messages).for_each(|_| this.counters.message_received());
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
