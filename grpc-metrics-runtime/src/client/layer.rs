//! The layer for channels.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use pin_project_lite::pin_project;
use tonic::body::Body;
use tonic::{GrpcMethod, Status};

use super::request::count_messages;
use super::response::{ClientResponseBody, answer};
use super::routes::Routes;
use crate::GrpcMetrics;
use crate::rpc::{ClientRpc, code_of_call};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Whether the program has ever made a layer.
static LAYERED: AtomicBool = AtomicBool::new(false);

/// In the extensions of a request that a generated client measures.
#[derive(Clone, Copy, Debug)]
struct IsMeasured;

/// Says that a layer need not measure the request.
pub(super) fn mark_measured(extensions: &mut Extensions) {
    // Relaxed: a request goes through a layer that was made before.
    if LAYERED.load(Ordering::Relaxed) {
        extensions.insert(IsMeasured);
    }
}

/// Returns a layer that measures the calls through a channel in the process-wide [`GrpcMetrics`].
///
/// See [`client`](crate::client).
pub fn client_layer() -> ClientLayer {
    ClientLayer::new(None)
}

impl GrpcMetrics {
    /// Returns a layer that measures the calls through a channel in this instance.
    pub fn client_layer(&self) -> ClientLayer {
        ClientLayer::new(Some(self.clone()))
    }
}

/// A layer for a `Channel` or another service under generated clients; see [`client_layer`].
#[derive(Clone, Debug)]
pub struct ClientLayer {
    routes: Arc<Routes>,
    metrics: Option<GrpcMetrics>,
}

impl ClientLayer {
    fn new(metrics: Option<GrpcMetrics>) -> Self {
        // Relaxed: see `mark_measured`.
        LAYERED.store(true, Ordering::Relaxed);
        Self { routes: Arc::new(Routes::new(metrics.clone(), "")), metrics }
    }

    /// Sets the label `target` of all series, which tells apart servers of the same service.
    #[must_use]
    pub fn target(self, target: &'static str) -> Self {
        Self { routes: Arc::new(Routes::new(self.metrics.clone(), target)), ..self }
    }
}

impl<S> tower_layer::Layer<S> for ClientLayer {
    type Service = LayeredClient<S>;

    fn layer(&self, inner: S) -> LayeredClient<S> {
        LayeredClient { inner, routes: Arc::clone(&self.routes) }
    }
}

/// Measures the calls through the service inside; made by [`ClientLayer`].
#[derive(Clone, Debug)]
pub struct LayeredClient<S> {
    inner: S,
    routes: Arc<Routes>,
}

impl<S, R> tower_service::Service<Request<Body>> for LayeredClient<S>
where
    S: tower_service::Service<Request<Body>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes>,
    R::Error: 'static,
{
    type Response = Response<ClientResponseBody<R>>;
    type Error = BoxError;
    type Future = LayeredFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let extensions = request.extensions();
        if extensions.get::<IsMeasured>().is_some() {
            return LayeredFuture { inner: self.inner.call(request), rpc: None };
        }
        let route = self.routes.find(extensions.get::<GrpcMethod<'static>>());
        let mut rpc = ClientRpc::start(route.counters.clone(), || route.path);
        rpc.send(request.headers_mut());
        count_messages(&mut request, &rpc);
        LayeredFuture { inner: self.inner.call(request), rpc: Some(rpc) }
    }
}

pin_project! {
    /// The future of a [`LayeredClient`].
    #[derive(Debug)]
    pub struct LayeredFuture<F> {
        #[pin]
        inner: F,
        rpc: Option<ClientRpc>,
    }
}

impl<F, R, E> Future for LayeredFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Into<BoxError>,
    R: http_body::Body<Data = Bytes>,
    R::Error: 'static,
{
    type Output = Result<Response<ClientResponseBody<R>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        let rpc = this.rpc.take();
        Poll::Ready(match result {
            Ok(response) => {
                let bytes = rpc.as_ref().and_then(ClientRpc::bytes);
                Ok(answer(rpc, bytes, response))
            }
            Err(error) => Err(end_with(rpc, error.into())),
        })
    }
}

/// Ends the RPC with the code that a generated client makes of the error, and returns the error.
fn end_with(rpc: Option<ClientRpc>, error: BoxError) -> BoxError {
    let Some(mut rpc) = rpc else { return error };
    // A status made of an error has that as its source, so that nothing is lost.
    let status = Status::from_error(error);
    rpc.end(code_of_call(&status));
    Box::new(status)
}
