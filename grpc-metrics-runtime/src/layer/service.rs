//! The service that the layer makes, and the future of one request.

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::{fmt, mem};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Extensions, HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tonic::{Code, Status};

use super::request::RequestBody;
use super::response::ResponseBody;
use super::routes::{Route, Routes};
use crate::grpc::{header, status_in_headers};
use crate::rpc::{Deadline, ServicePart, WireRpc, is_measured};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Measures the RPCs of the service inside; made by [`ServerLayer`](super::ServerLayer).
#[derive(Clone, Debug)]
pub struct ServerService<S> {
    inner: S,
    routes: Arc<Routes>,
    /// In nanoseconds.
    server_timeout: Option<u64>,
}

impl<S> ServerService<S> {
    pub(super) fn new(inner: S, routes: Arc<Routes>, server_timeout: Option<u64>) -> Self {
        Self { inner, routes, server_timeout }
    }
}

/// An RPC until its response.
#[derive(Debug)]
struct Measured {
    rpc: WireRpc,
    /// Rare, so it is boxed.
    unknown: Option<Box<Unknown>>,
}

/// A path to be learned if the service accepts it.
#[derive(Debug)]
struct Unknown {
    path: String,
    routes: Arc<Routes>,
}

// None of this depends on the service's types, so it is compiled once, in this crate.
impl Measured {
    fn start(
        routes: &Arc<Routes>,
        timeout: Option<u64>,
        path: &str,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Option<Self> {
        if !is_grpc(headers) || is_measured(extensions) {
            return None;
        }
        let route = routes.find(path)?;
        let unknown = routes
            .may_learn(route, path)
            .then(|| Box::new(Unknown { path: path.to_owned(), routes: Arc::clone(routes) }));
        let &Route { method, ref target, expected } = route;
        let deadline = Deadline::from_headers(headers);
        let label = target.label_value(headers);
        let rpc = WireRpc::start(target.clone(), label, expected, method, deadline, timeout);
        Some(Self { rpc, unknown })
    }

    /// The service has accepted the RPC, whatever comes of it, so its path is one that there is.
    fn accepted(&mut self) {
        if let Some(unknown) = self.unknown.take()
            && !self.rpc.is_claimed()
            && let Some(target) = unknown.routes.learn(&unknown.path)
        {
            self.rpc.learn(target.clone());
        }
    }

    /// Returns the RPC, unless it ends with the headers.
    fn answer(mut self, status: StatusCode, headers: &HeaderMap) -> Option<WireRpc> {
        let code = status_in_headers(status, headers);
        if code.is_none_or(|code| code == Code::Ok) {
            self.accepted();
        }
        if let Some(code) = code {
            self.rpc.end_without_message(code);
            return None;
        }
        self.rpc.answered();
        Some(self.rpc)
    }
}

impl<S, B, R> tower_service::Service<Request<B>> for ServerService<S>
where
    S: tower_service::Service<Request<RequestBody<B>>, Response = Response<R>>,
    S::Error: 'static,
    R: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (path, headers) = (request.uri().path(), request.headers());
        let (routes, timeout) = (&self.routes, self.server_timeout);
        let mut measured = Measured::start(routes, timeout, path, headers, request.extensions());
        let received = measured.as_ref().map(|Measured { rpc, .. }| {
            rpc.ticket(request.extensions_mut());
            rpc.received()
        });
        let request = request.map(|body| RequestBody::new(body, received));
        let part = measured.as_mut().map(|measured| measured.rpc.enter_service());
        let inner = self.inner.call(request);
        part.into_iter().for_each(ServicePart::leave);
        ResponseFuture { inner, measured }
    }
}

pin_project! {
    /// The future of [`ServerService`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // Dropped before the RPC, which so sees a panic in the future's drop.
        #[pin]
        inner: F,
        measured: Option<Measured>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            if let Some(measured) = this.project().measured {
                measured.rpc.before_drop();
            }
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: 'static,
    R: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let part = this.measured.as_mut().map(|measured| measured.rpc.enter_service());
        let polled = this.inner.poll(cx);
        part.into_iter().for_each(ServicePart::leave);
        let result = ready!(polled);
        let measured = this.measured.take();
        Poll::Ready(match result {
            Ok(response) => {
                let mut rpc = measured
                    .and_then(|measured| measured.answer(response.status(), response.headers()));
                if let Some(rpc) = &mut rpc
                    && response.body().is_end_stream()
                {
                    // Nobody polls it, and it has no status.
                    rpc.end(Code::Unknown);
                }
                Ok(response.map(|body| ResponseBody::new(body, rpc)))
            }
            Err(mut error) => {
                if let Some(mut measured) = measured {
                    measured.rpc.end(code_of_error(&mut error));
                }
                Err(error)
            }
        })
    }
}

/// The code that clients have of an error. tonic's own outermost layer answers with the status that it finds in it, so that
/// takes the error's place. Only statuses and boxed errors, which tower's layers have, can be looked into.
fn code_of_error<E: 'static>(error: &mut E) -> Code {
    let error: &mut dyn Any = error;
    if let Some(status) = error.downcast_ref::<Status>() {
        return status.code();
    }
    let Some(error) = error.downcast_mut::<BoxError>() else { return RESET };
    // In its place meanwhile. It has no size, so nothing is allocated.
    match Status::try_from_error(mem::replace(error, Box::new(fmt::Error))) {
        Ok(status) => {
            let code = status.code();
            *error = status.into();
            code
        }
        Err(other) => {
            *error = other;
            RESET
        }
    }
}

/// What clients make of hyper's answer to an error of the service or its body: a reset with `INTERNAL_ERROR`.
pub(super) const RESET: Code = Code::Internal;

/// gRPC over HTTP/2, `Content-Type`: `application/grpc`, alone or followed by `+` or `;`.
fn is_grpc(headers: &HeaderMap) -> bool {
    let value = header(headers, &CONTENT_TYPE).map(HeaderValue::as_bytes);
    let rest = value.and_then(|value| value.strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}
