//! The service inside a generated client.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tonic::body::Body;
use tonic::client::GrpcService;

use super::request::count_messages;
use super::response::{ClientResponseBody, answer};
use super::{layer, pending};
use crate::rpc::{CallBytes, ClientRpc};

/// Shows the RPC of a generated method what only the wire knows: its deadline, the messages of a request stream, and
/// the status of a response stream.
#[derive(Clone, Debug)]
pub struct ClientService<T> {
    inner: T,
}

impl<T> ClientService<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner }
    }
}

impl<T> GrpcService<Body> for ClientService<T>
where
    T: GrpcService<Body>,
    T::ResponseBody: http_body::Body<Data = Bytes>,
    <T::ResponseBody as http_body::Body>::Error: 'static,
{
    type ResponseBody = ClientResponseBody<T::ResponseBody>;
    type Error = T::Error;
    type Future = ResponseFuture<T::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let (rpc, bytes) = send(&mut request);
        // If it panics, the RPC is dropped.
        ResponseFuture { inner: self.inner.call(request), rpc, bytes }
    }
}

/// Sends the pending RPC's request, and takes the RPC if its response is a stream. Also returns where the response
/// counts its bytes, if these count.
fn send(request: &mut Request<Body>) -> (Option<ClientRpc>, Option<Arc<CallBytes>>) {
    let Some(mut rpc) = pending::take() else { return (None, None) };
    rpc.send(request.headers_mut());
    layer::mark_measured(request.extensions_mut());
    count_messages(request, &rpc);
    let bytes = rpc.bytes();
    if rpc.target().kind.server_streams() {
        return (Some(rpc), bytes);
    }
    pending::give_back(rpc);
    (None, bytes)
}

pin_project! {
    /// The future of a [`ClientService`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        rpc: Option<ClientRpc>,
        bytes: Option<Arc<CallBytes>>,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: http_body::Body<Data = Bytes>,
    B::Error: 'static,
{
    type Output = Result<Response<ClientResponseBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        Poll::Ready(match result {
            Ok(response) => Ok(answer(this.rpc.take(), this.bytes.take(), response)),
            Err(error) => {
                // The method makes a status of the error, and the RPC ends with that.
                if let Some(rpc) = this.rpc.take() {
                    pending::give_back(rpc);
                }
                Err(error)
            }
        })
    }
}
