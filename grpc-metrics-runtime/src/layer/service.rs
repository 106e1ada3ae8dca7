//! The service that the layer makes, and the future of one request.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tonic::{Code, Status};

use super::request::RequestBody;
use super::response::ResponseBody;
use super::routes::{Route, Routes};
use crate::grpc::header;
use crate::rpc::{Deadline, WireRpc, is_measured};

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

    fn start<B>(&self, request: &mut Request<B>) -> Option<Measured> {
        if !is_grpc(request.headers()) || is_measured(request.extensions()) {
            return None;
        }
        let path = request.uri().path();
        let route = self.routes.find(path)?;
        let unknown = self.routes.may_learn(route, path).then(|| path.to_owned());
        let Route { method, expected, unclaimed } = route;
        let deadline = Deadline::from_headers(request.headers());
        let timeout = self.server_timeout;
        let rpc = WireRpc::start(expected.clone(), unclaimed.clone(), *method, deadline, timeout);
        rpc.ticket(request.extensions_mut());
        Some(Measured { rpc, unknown, routes: Arc::clone(&self.routes) })
    }
}

/// An RPC until its response.
#[derive(Debug)]
struct Measured {
    rpc: WireRpc,
    /// A path to be learned if the service accepts it.
    unknown: Option<String>,
    routes: Arc<Routes>,
}

impl Measured {
    /// The service has accepted the RPC, whatever comes of it, so its path is one that there is.
    fn accepted(&mut self) {
        if let Some(path) = self.unknown.take()
            && !self.rpc.is_claimed()
            && let Some(target) = self.routes.learn(&path)
        {
            self.rpc.other_is(target.clone());
        }
    }

    fn answer<B>(mut self, response: Response<B>) -> Response<ResponseBody<B>>
    where
        B: Body<Data = Bytes>,
    {
        let code = status_of(response.headers()).or_else(|| {
            // Not from a gRPC service: some layer answers by itself.
            let status = response.status();
            (status != StatusCode::OK).then(|| code_of_http(status))
        });
        if code.is_none_or(|code| code == Code::Ok) {
            self.accepted();
        }
        if let Some(code) = code {
            self.rpc.end_without_message(code);
            return response.map(|body| ResponseBody::new(body, None));
        }
        let mut rpc = self.rpc;
        rpc.answered();
        if response.body().is_end_stream() {
            // Nobody polls it, and it has no status.
            rpc.end(Code::Unknown);
        }
        response.map(|body| ResponseBody::new(body, Some(rpc)))
    }
}

impl<S, B, R> tower_service::Service<Request<B>> for ServerService<S>
where
    S: tower_service::Service<Request<RequestBody<B>>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut measured = self.start(&mut request);
        let received = measured.as_ref().map(|measured| measured.rpc.received());
        let request = request.map(|body| RequestBody::new(body, received));
        let inner = match &mut measured {
            Some(measured) => measured.rpc.during(|| self.inner.call(request)),
            None => self.inner.call(request),
        };
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
    E: Into<BoxError>,
    R: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<R>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = match this.measured {
            Some(measured) => measured.rpc.during(|| this.inner.poll(cx)),
            None => this.inner.poll(cx),
        };
        let result = ready!(polled);
        let Some(mut measured) = this.measured.take() else {
            let response =
                result.map(|response| response.map(|body| ResponseBody::new(body, None)));
            return Poll::Ready(response.map_err(Into::into));
        };
        Poll::Ready(match result {
            Ok(response) => Ok(measured.answer(response)),
            // tonic's own outermost layer answers with the status that it finds in the error.
            Err(error) => Err(match Status::try_from_error(error.into()) {
                Ok(status) => {
                    measured.rpc.end(status.code());
                    Box::new(status)
                }
                Err(error) => {
                    measured.rpc.end(RESET);
                    error
                }
            }),
        })
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

/// The status in headers or trailers. A malformed one is `UNKNOWN`, as clients have it.
pub(super) fn status_of(headers: &HeaderMap) -> Option<Code> {
    static GRPC_STATUS: HeaderName = Status::GRPC_STATUS;
    header(headers, &GRPC_STATUS).map(|value| Code::from_bytes(value.as_bytes()))
}

/// gRPC, "HTTP to gRPC Status Code Mapping".
fn code_of_http(status: StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}
