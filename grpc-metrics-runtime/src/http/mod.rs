//! `/metrics` over HTTP: a [`router`] to mount, or [`serve`] to run it on a port of its own.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8081").await?;
//! grpc_metrics_runtime::http::serve(listener).await
//! # }
//! ```
//!
//! `GET` and `HEAD` of `/metrics` are answered, compressed when asked for, as Prometheus always does. With the
//! feature `openmetrics` the answer is in [that format](crate::openmetrics) for those whose `Accept` names
//! `application/openmetrics-text` and weighs it no less than the classic text, again as Prometheus does.
//! All others get the classic text, whatever they accept.
//!
//! # Scrapes and RPCs
//!
//! Scrapes don't take the runtime's workers from RPCs. Collectors are asked, and their metrics encoded and
//! compressed, by [`spawn_blocking`](tokio::task::spawn_blocking), one scrape of a router at a time. 16 more can wait,
//! for 5 seconds each; others are answered with 503 and `Retry-After: 5`. Those who wait and ask for the same are
//! answered with one encoding, which starts after they came. A client that hangs up does not end the encoding
//! that it asked for, and nobody else's starts before that ends. `HEAD` asks no collector, and so is not
//! told that one fails, nor the length.
//!
//! A collector that panics, or gives a family that is no metric, is answered with 500. One that never returns keeps its
//! thread, and a runtime that is dropped waits for that.
//!
//! [`serve`] has up to 32 connections; more wait to be accepted. It closes those on which the head of a request
//! does not come within 30 seconds, or is longer than 16 KiB, and those whose client does not take an answer within 30
//! seconds. It reads no further request while an answer can't be sent.
//!
//! Where [`router`] is mounted in a program's own server, connections are that server's: it has to limit their
//! number, and how slowly requests may come and answers may be read. `axum::serve` has no such limits. What is said
//! of scrapes holds there too.
//!
//! There is no authentication: bind an address that only your Prometheus reaches.

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

/// Returns a router that answers `/metrics` with the registry of the process-wide [`GrpcMetrics`].
///
/// Makes that instance if there is none yet, so [install](GrpcMetrics::install) yours before.
pub fn router() -> Router {
    router_of(GrpcMetrics::global().registry())
}

/// Returns a router that answers `/metrics` with this registry.
///
/// Its server has to run on a tokio runtime with time enabled, as `#[tokio::main]` makes it.
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

/// Serves `/metrics` with the registry of the process-wide [`GrpcMetrics`].
///
/// Makes that instance if there is none yet, so [install](GrpcMetrics::install) yours before.
pub fn serve(listener: TcpListener) -> Serve {
    serve_registry(listener, GrpcMetrics::global().registry())
}

/// Serves `/metrics` with this registry.
pub fn serve_registry(listener: TcpListener, registry: &Registry) -> Serve {
    Serve::new(listener, router_of(registry))
}

/// The body of an answer to `HEAD`: the length is not known without encoding, so none is sent.
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
