//! A `/metrics` handler for any HTTP server.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::header::{ALLOW, HeaderValue};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use prometheus::Registry;
use tokio::task::yield_now;

use super::answer::{Answer, Representation};
use super::queue::Queue;
use crate::GrpcMetrics;

/// A `/metrics` handler for any HTTP framework. It takes the method and headers of a request, and returns a response
/// with its whole body. For axum, use [`router`](super::router).
///
/// ```
/// # async fn example() {
/// use grpc_metrics_runtime::http::MetricsHandler;
/// use grpc_metrics_runtime::prometheus::Registry;
///
/// let handler = MetricsHandler::of_registry(&Registry::new());
/// let request = http::Request::new(());
/// let response = handler.respond(request.method(), request.headers()).await;
/// assert_eq!(response.status(), http::StatusCode::OK);
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(example());
/// ```
///
/// Clones share one queue of scrapes. The handler needs a tokio runtime with time enabled.
#[derive(Clone, Debug)]
pub struct MetricsHandler {
    queue: Arc<Queue>,
}

impl MetricsHandler {
    /// Creates a handler for the registry of the process-wide [`GrpcMetrics`].
    ///
    /// Creates that instance if there is none, so [install](GrpcMetrics::install) yours first.
    pub fn new() -> Self {
        Self::of_registry(GrpcMetrics::global().registry())
    }

    /// Creates a handler for this registry.
    pub fn of_registry(registry: &Registry) -> Self {
        Self { queue: Arc::new(Queue::new(registry)) }
    }

    /// Returns the response to a request with this method and these headers: the metrics for `GET`, only headers for
    /// `HEAD`, and 405 for any other method.
    pub async fn respond(&self, method: &Method, headers: &HeaderMap) -> Response<Bytes> {
        let representation = Representation::from_headers(headers);
        match *method {
            Method::GET => Arc::clone(&self.queue).answer(representation).await.into_response(),
            Method::HEAD => {
                // This branch awaits nothing else, so pipelined requests would be answered without yielding to RPCs.
                yield_now().await;
                let mut response = Response::new(Bytes::new());
                *response.headers_mut() = representation.headers();
                response
            }
            _ => {
                let why = "only GET and HEAD\n".into();
                Answer::refused(StatusCode::METHOD_NOT_ALLOWED, why)
                    .with_header(ALLOW, HeaderValue::from_static("GET,HEAD"))
                    .into_response()
            }
        }
    }
}

impl Default for MetricsHandler {
    fn default() -> Self {
        Self::new()
    }
}
