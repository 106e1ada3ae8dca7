//! The server layer: the RPC as the wire sees it, from its headers to its status.
//!
//! An attribute sees nothing in front of the handler. The layer does: time in queues, messages that can't be decoded,
//! rejections of interceptors, unknown methods, responses that are too large.
//!
//! ```no_run
//! # async fn serve(routes: tonic::service::Routes) -> Result<(), tonic::transport::Error> {
//! tonic::transport::Server::builder()
//!     .layer(grpc_metrics_runtime::server_layer())
//!     .add_routes(routes)
//!     .serve("[::1]:50051".parse().expect("an address"))
//!     .await
//! # }
//! ```

mod request;
mod response;
mod routes;
mod service;

use std::sync::Arc;
use std::time::Duration;

pub use self::request::RequestBody;
pub use self::response::ResponseBody;
use self::routes::Routes;
pub use self::service::{ResponseFuture, ServerService};
use crate::GrpcMetrics;
use crate::rpc::layered;

/// Returns a layer that counts in the process-wide [`GrpcMetrics`].
///
/// Makes that instance if there is none yet, so [install](GrpcMetrics::install) yours before.
pub fn server_layer() -> ServerLayer {
    ServerLayer::new(None)
}

impl GrpcMetrics {
    /// Returns a server layer that counts in this instance what reaches no handler. RPCs that reach one count where the
    /// handler's attribute says.
    pub fn server_layer(&self) -> ServerLayer {
        ServerLayer::new(Some(self.clone()))
    }
}

/// A layer for `tonic::transport::Server::layer`, or axum's `Router::layer`; see [`server_layer`].
#[derive(Clone, Debug)]
pub struct ServerLayer {
    metrics: Option<GrpcMetrics>,
    services: Vec<&'static str>,
    server_timeout: Option<Duration>,
}

impl ServerLayer {
    fn new(metrics: Option<GrpcMetrics>) -> Self {
        layered();
        // At once, so that the first scrape shows what the layer counts.
        metrics.as_ref().unwrap_or_else(|| GrpcMetrics::global()).instance().mark_layered();
        Self { metrics, services: Vec::new(), server_timeout: None }
    }

    /// Measures a service that has no attribute, such as the health service, by the name in its path. A method of it
    /// has series from its first RPC that the service accepts.
    #[must_use]
    pub fn service(mut self, name: &'static str) -> Self {
        self.services.push(name);
        self
    }

    /// Tells the layer what `Server::timeout` was told, so that an RPC which the server drops for it counts as
    /// `DEADLINE_EXCEEDED`. As for the server, the time is up to the response's headers.
    #[must_use]
    pub fn server_timeout(mut self, timeout: Duration) -> Self {
        self.server_timeout = Some(timeout);
        self
    }
}

impl<S> tower_layer::Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let timeout = self.server_timeout;
        let timeout = timeout.map(|limit| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX));
        let routes = Routes::new(self.metrics.as_ref(), &self.services);
        ServerService::new(inner, Arc::new(routes), timeout)
    }
}
