//! The body of a response, at whose end the status is.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tonic::{Code, Status};

use crate::grpc::{Frames, status_in_headers, status_of};
use crate::rpc::{CallBytes, ClientRpc, code_of_call};

/// How many frames that have arrived are looked through for the status of a stream which nobody reads any more.
const MOST_UNREAD: usize = 1_000;

pin_project! {
    /// A response's body with its RPC. It passes everything on.
    #[derive(Debug)]
    pub struct ClientResponseBody<B>
    where
        B: Body<Data = Bytes>,
        B::Error: 'static,
    {
        #[pin]
        inner: B,
        frames: Frames,
        rpc: Option<ClientRpc>,
        bytes: Option<Arc<CallBytes>>,
    }

    impl<B> PinnedDrop for ClientResponseBody<B>
    where
        B: Body<Data = Bytes>,
        B::Error: 'static,
    {
        fn drop(this: Pin<&mut Self>) {
            // Nobody asked for this poll, so its panic is nobody's. It may be the body's second one, which would abort
            // the program.
            let _ = catch_unwind(AssertUnwindSafe(|| this.read_arrived()));
        }
    }
}

impl<B> ClientResponseBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: 'static,
{
    /// `rpc` ends with the body's status. `bytes` counts those of the body's messages.
    fn new(inner: B, rpc: Option<ClientRpc>, bytes: Option<Arc<CallBytes>>) -> Self {
        Self { inner, frames: Frames::default(), rpc, bytes }
    }

    /// Reads on if the stream is dropped before its end: the status may have arrived, and nobody may have asked for it.
    fn read_arrived(mut self: Pin<&mut Self>) {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..MOST_UNREAD {
            let goes_on = self.rpc.as_ref().is_some_and(ClientRpc::goes_on);
            if !goes_on || self.as_mut().poll_frame(&mut cx).is_pending() {
                return;
            }
        }
    }
}

/// Ends the RPC with the status in the response's headers, or lets it go on in the body.
pub(super) fn answer<B>(
    rpc: Option<ClientRpc>,
    bytes: Option<Arc<CallBytes>>,
    response: Response<B>,
) -> Response<ClientResponseBody<B>>
where
    B: Body<Data = Bytes>,
    B::Error: 'static,
{
    let rpc = rpc.and_then(|mut rpc| {
        let code = status_in_headers(response.status(), response.headers());
        match code {
            Some(code) => {
                rpc.end(code);
                None
            }
            None => Some(rpc),
        }
    });
    response.map(|body| ClientResponseBody::new(body, rpc, bytes))
}

impl<B> Body for ClientResponseBody<B>
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
        let this = self.project();
        let polled = this.inner.poll_frame(cx);
        if this.rpc.is_none() && this.bytes.is_none() {
            return polled;
        }
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            let added = this.frames.read(data);
            if let Some(rpc) = this.rpc {
                (0..added.messages).for_each(|_| rpc.target().message_sent());
            }
            if let Some(bytes) = this.bytes {
                bytes.received(added.bytes);
            }
        }
        let Some(rpc) = this.rpc else { return polled };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    rpc.end(status_of(trailers).unwrap_or(Code::Unknown));
                }
            }
            Poll::Ready(Some(Err(error))) => rpc.end(code_of_error(error)),
            // gRPC, "HTTP to gRPC Status Code Mapping": without a status, UNKNOWN.
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

/// The code that tonic's client makes of an error of the body. tonic's bodies have statuses.
fn code_of_error(error: &dyn Any) -> Code {
    error.downcast_ref::<Status>().map_or(Code::Unknown, code_of_call)
}
