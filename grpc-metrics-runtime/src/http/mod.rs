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

mod server;

use std::future;
use std::panic::{self, AssertUnwindSafe};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
#[cfg(feature = "openmetrics")]
use axum::http::header::{ACCEPT, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::Registry;
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;

pub use self::server::Serve;
use crate::{GrpcMetrics, text};
#[cfg(feature = "openmetrics")]
use crate::{accept, openmetrics};

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
    Serve::new(listener, router_of(registry))
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
