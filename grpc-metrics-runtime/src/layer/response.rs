//! The response's body, at whose end the status is.

use std::any::Any;
use std::error::Error as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tonic::{Code, Status};

use super::service::RESET;
use crate::grpc::{Frames, status_of};
use crate::rpc::WireRpc;

pin_project! {
    /// A response's body with the RPC it belongs to. It passes everything on.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        // Dropped before the RPC, which so sees a panic in the body's drop.
        #[pin]
        inner: B,
        frames: Frames,
        rpc: Option<WireRpc>,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            if let Some(rpc) = this.project().rpc {
                rpc.before_drop();
            }
        }
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn new(inner: B, rpc: Option<WireRpc>) -> Self {
        Self { inner, frames: Frames::default(), rpc }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: 'static,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let Some(rpc) = this.rpc else { return this.inner.poll_frame(cx) };
        let part = rpc.enter();
        let polled = this.inner.as_mut().poll_frame(cx);
        part.leave();
        // Not at the end of the body: once the trailers are out, nobody polls again.
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    rpc.sent(this.frames.read(data).bytes);
                    if this.inner.is_end_stream() {
                        // Nobody polls it again, and it has no status.
                        rpc.end(Code::Unknown);
                    }
                } else if let Some(trailers) = frame.trailers_ref() {
                    rpc.end(status_of(trailers).unwrap_or(Code::Unknown));
                }
            }
            Poll::Ready(Some(Err(error))) => {
                rpc.end(code_of_reset(error));
            }
            Poll::Ready(None) => rpc.end(Code::Unknown),
            Poll::Pending => {}
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

/// The code that clients make of the reset which is hyper's answer to this error. Its reason is that of an error of
/// HTTP/2 among the error's sources, from which tonic has made the status, too.
fn code_of_reset(error: &dyn Any) -> Code {
    let status = error.downcast_ref::<Status>().filter(|status| status.source().is_some());
    status.map(Status::code).filter(|code| *code != Code::Unknown).unwrap_or(RESET)
}
