//! `/metrics` for any HTTP server.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::header::{ALLOW, HeaderValue};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use prometheus::Registry;
use tokio::task::yield_now;

use super::answer::{Answer, Representation};
use super::queue::Queue;
use crate::GrpcMetrics;

/// Answers scrapes in a server of any framework: it takes a request's method and headers, and returns a response
/// with a whole body. [`router`](super::router) is the same for axum.
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
/// A clone shares the queue of scrapes with the original. It has to run on a tokio runtime with time enabled.
#[derive(Clone, Debug)]
pub struct MetricsHandler {
    queue: Arc<Queue>,
}

impl MetricsHandler {
    /// Answers with the registry of the process-wide [`GrpcMetrics`].
    ///
    /// Makes that instance if there is none yet, so [install](GrpcMetrics::install) yours before.
    pub fn new() -> Self {
        Self::of_registry(GrpcMetrics::global().registry())
    }

    /// Answers with this registry.
    pub fn of_registry(registry: &Registry) -> Self {
        Self { queue: Arc::new(Queue::of(registry)) }
    }

    /// Returns the response to a request of this method with these headers: the metrics to `GET`, headers alone to
    /// `HEAD`, 405 to all others.
    pub async fn respond(&self, method: &Method, headers: &HeaderMap) -> Response<Bytes> {
        let representation = Representation::of(headers);
        match *method {
            Method::GET => Arc::clone(&self.queue).answer(representation).await.into_response(),
            Method::HEAD => {
                // There is nothing to wait for, so a client that sends one request after the other would be answered
                // without a pause. RPCs get their turn in between.
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
