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
//! There is no authentication, and no limit to how slowly an answer may be read: bind an address that only
//! your Prometheus reaches.

use std::future::{self, Future, IntoFuture};
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
#[cfg(feature = "openmetrics")]
use axum::http::header::{ACCEPT, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower_http::compression::CompressionLayer;

use crate::{GrpcMetrics, text};
#[cfg(feature = "openmetrics")]
use crate::{accept, openmetrics};

/// How long a request's head may take to arrive. A connection that is idle for as long is closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a request's head may be, in bytes; a longer one is answered with 431.
const MAX_HEAD: usize = 16 * 1024;

/// How long running answers may take to finish after the shutdown signal.
const GRACE: Duration = Duration::from_secs(5);

const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A router that answers `/metrics` with the registry of the process-wide [`GrpcMetrics`].
///
/// Makes that instance if there is none yet, so [install](GrpcMetrics::install) yours before.
pub fn router() -> Router {
    router_of(GrpcMetrics::global().registry())
}

/// A router that answers `/metrics` with this registry.
pub fn router_of(registry: &Registry) -> Router {
    let registry = registry.clone();
    let answer = move |headers: HeaderMap| future::ready(answer(&registry, &headers));
    Router::new().route("/metrics", get(answer)).layer(CompressionLayer::new())
}

/// Serves `/metrics` with the registry of the process-wide [`GrpcMetrics`].
///
/// Makes that instance if there is none yet, so [install](GrpcMetrics::install) yours before.
pub fn serve(listener: TcpListener) -> Serve {
    serve_registry(listener, GrpcMetrics::global().registry())
}

/// Serves `/metrics` with this registry.
pub fn serve_registry(listener: TcpListener, registry: &Registry) -> Serve {
    Serve { listener, router: router_of(registry), shutdown: Box::pin(future::pending()) }
}

/// A server to be awaited. It runs until its shutdown signal, or for ever.
#[must_use = "does nothing unless awaited"]
pub struct Serve {
    listener: TcpListener,
    router: Router,
    shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl std::fmt::Debug for Serve {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serve").field("listener", &self.listener).finish_non_exhaustive()
    }
}

impl Serve {
    /// Stops accepting when `signal` completes, and ends once the running answers are sent, or after
    /// five seconds.
    pub fn with_graceful_shutdown(
        mut self,
        signal: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        self.shutdown = Box::pin(signal);
        self
    }

    async fn run(self) -> io::Result<()> {
        let Self { mut listener, router, mut shutdown } = self;
        let service = TowerToHyperService::new(router);
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD);
        let graceful = GracefulShutdown::new();
        // Dropped with the future, so that no connection outlives the server.
        let mut connections = JoinSet::new();
        loop {
            // Waits out what a connection's attempt can go wrong with, such as too many open files.
            let mut accept = pin!(Listener::accept(&mut listener));
            let accepted = future::poll_fn(|cx| {
                if shutdown.as_mut().poll(cx).is_ready() {
                    return std::task::Poll::Ready(None);
                }
                accept.as_mut().poll(cx).map(Some)
            });
            let Some((stream, _)) = accepted.await else {
                break;
            };
            let connection = http.serve_connection(TokioIo::new(stream), service.clone());
            let connection = graceful.watch(connection);
            connections.spawn(async move {
                // The peer's errors, such as a reset, are the peer's to report.
                let _ = connection.await;
            });
            while connections.try_join_next().is_some() {}
        }
        drop(listener);
        // Whoever has not read the answer by then does not want it.
        let _ = timeout(GRACE, graceful.shutdown()).await;
        Ok(())
    }
}

impl IntoFuture for Serve {
    type Output = io::Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

#[cfg(not(feature = "openmetrics"))]
fn answer(registry: &Registry, _: &HeaderMap) -> Response {
    render(registry, TEXT_FORMAT, text::encode)
}

#[cfg(feature = "openmetrics")]
fn answer(registry: &Registry, headers: &HeaderMap) -> Response {
    let mut answer = if accept::asks_for_openmetrics(headers) {
        render(registry, openmetrics::CONTENT_TYPE, openmetrics::encode)
    } else {
        render(registry, TEXT_FORMAT, text::encode)
    };
    answer.headers_mut().append(VARY, ACCEPT.into());
    answer
}

fn render(
    registry: &Registry,
    format: &'static str,
    encode: fn(&Registry) -> prometheus::Result<String>,
) -> Response {
    let failed = |why: String| (StatusCode::INTERNAL_SERVER_ERROR, why).into_response();
    // Nothing here is changed by halves: what encodes is dropped with the panic.
    match panic::catch_unwind(AssertUnwindSafe(|| encode(registry))) {
        Ok(Ok(encoded)) => ([(CONTENT_TYPE, format)], encoded).into_response(),
        // Some collector of the program gave a family that is no metric.
        Ok(Err(error)) => failed(format!("{error}\n")),
        Err(_) => failed("a collector panicked\n".to_owned()),
    }
}
