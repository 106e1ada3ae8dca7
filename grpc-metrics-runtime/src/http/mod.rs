//! `/metrics` over HTTP: [`serve`] runs it on a port of its own, [`router`] returns an axum router to mount, and
//! [`MetricsHandler`] works with any framework.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8081").await?;
//! grpc_metrics_runtime::http::serve(listener).await
//! # }
//! ```
//!
//! `/metrics` supports `GET` and `HEAD`, with gzip if the client prefers it, as Prometheus does. With the feature
//! `openmetrics`, the response is in [that format](crate::openmetrics) if the `Accept` header names
//! `application/openmetrics-text` and weighs it no less than the classic text, as Prometheus's does. Otherwise it is in
//! the classic text format, whatever `Accept` says.
//!
//! # Scrapes and RPCs
//!
//! Scrapes do not block the runtime's workers. Collecting, encoding and compressing run in
//! [`spawn_blocking`](tokio::task::spawn_blocking), one scrape per router at a time. Up to 16 more wait, for 5 seconds
//! each; any other gets 503 with `Retry-After: 5`. Waiting scrapes that want the same representation share one
//! encoding, which starts after they arrived. If a client disconnects, the encoding that it started continues, and no
//! other starts before it ends. `HEAD` runs no collector, so its response has no length, and is 200 even if a collector
//! fails.
//!
//! If a collector panics or returns an invalid family, the response is 500. A collector that never returns blocks its
//! thread, and dropping the runtime waits for that thread.
//!
//! # Connections
//!
//! [`serve`] accepts up to 32 connections; further ones wait. It closes a connection if the head of a request does not
//! arrive within 30 seconds or is longer than 16 KiB, or if the client does not read a response within 30 seconds. It
//! reads no further request while a response can't be sent.
//!
//! If you mount [`router`] in your own server, that server has to limit the number of connections, slow requests and
//! slow readers. `axum::serve` has no such limits. The limits of scrapes apply in any server.
//!
//! There is no authentication. Bind loopback, or an address that only your Prometheus reaches.

mod accept;
mod answer;
mod connection;
mod handler;
mod queue;
mod server;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::routing::get;
use hyper::body::Frame;
use prometheus::Registry;
use tokio::net::TcpListener;

pub use self::handler::MetricsHandler;
pub use self::server::Serve;
use crate::GrpcMetrics;

/// Returns a router that serves `/metrics` from the registry of the process-wide [`GrpcMetrics`].
///
/// Creates that instance if there is none, so [install](GrpcMetrics::install) yours first. See [`router_of`] for the
/// runtime that the router needs.
pub fn router() -> Router {
    router_of(GrpcMetrics::global().registry())
}

/// Returns a router that serves `/metrics` from this registry.
///
/// The router needs a tokio runtime with time enabled, such as that of `#[tokio::main]`.
pub fn router_of(registry: &Registry) -> Router {
    let handler = MetricsHandler::of_registry(registry);
    let head = handler.clone();
    let head = async move |headers: HeaderMap| -> Response {
        head.respond(&Method::HEAD, &headers).await.map(|_| Body::new(UnknownLength))
    };
    let get_or_head = get(async move |headers: HeaderMap| -> Response {
        handler.respond(&Method::GET, &headers).await.map(Body::from)
    });
    Router::new().route("/metrics", get_or_head.head(head))
}

/// Serves `/metrics` from the registry of the process-wide [`GrpcMetrics`], when awaited.
///
/// Creates that instance if there is none, so [install](GrpcMetrics::install) yours first.
pub fn serve(listener: TcpListener) -> Serve {
    serve_registry(listener, GrpcMetrics::global().registry())
}

/// Serves `/metrics` from this registry, when awaited.
pub fn serve_registry(listener: TcpListener, registry: &Registry) -> Serve {
    Serve::new(listener, router_of(registry))
}

/// The body of a response to `HEAD`. An empty body would set `Content-Length: 0`, but the length is unknown without
/// encoding.
struct UnknownLength;

impl hyper::body::Body for UnknownLength {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }
}

/// The representation of a scrape with these headers.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn negotiated(headers: &HeaderMap) -> String {
    format!("{:?}", answer::Representation::from_headers(headers))
}
