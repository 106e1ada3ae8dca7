//! The messages of a request stream.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tonic::Status;
use tonic::body::Body;

use crate::grpc::Frames;
use crate::rpc::{CallBytes, ClientRpc, Target};

/// Counts the request's messages, if they may be a stream or their bytes count.
#[inline]
pub(super) fn count_messages(request: &mut Request<Body>, rpc: &ClientRpc) {
    let counters = rpc.target();
    if counters.kind.client_streams() || counters.counts_bytes_of_calls {
        let inner = mem::take(request.body_mut());
        let (counters, bytes) = (counters.clone(), rpc.bytes());
        let frames = Frames::default();
        *request.body_mut() = Body::new(Counted { inner, frames, counters, bytes });
    }
}

pin_project! {
    /// A request's body. It passes everything on.
    struct Counted {
        #[pin]
        inner: Body,
        frames: Frames,
        counters: Target,
        bytes: Option<Arc<CallBytes>>,
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
            if let Some(bytes) = this.bytes {
                bytes.sent(added.bytes);
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
