//! Helpers by name, by path, imported, and beside another attribute that happens to be called the same.

// Written as users write.
#![allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]

use grpc_metrics_runtime::{GrpcMetrics, instrument_grpc, rpc, skip_metrics};
use support::shapes::pb::shapes_server::Shapes;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status, Streaming};

struct Service;

#[instrument_grpc(service = "helpers")]
#[tonic::async_trait]
impl Shapes for Service {
    #[rpc(name = "ONE")]
    async fn one(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }

    #[grpc_metrics_runtime::rpc(name = "UpLoad")]
    /// Documented.
    async fn upload(&self, _: Request<Streaming<Ask>>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }

    type WatchStream = tokio_stream::Empty<Result<Answer, Status>>;
    #[skip_metrics]
    async fn watch(&self, _: Request<Ask>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::aborted("always"))
    }

    type ChatStream = tokio_stream::Empty<Result<Answer, Status>>;
    #[cfg(all())]
    #[::grpc_metrics_runtime::skip_metrics]
    #[rpc(name = "CHAT")]
    async fn chat(&self, _: Request<Streaming<Ask>>) -> Result<Response<Self::ChatStream>, Status> {
        Err(Status::aborted("always"))
    }
}

// The imports are used, though the attributes are read by their names.
const _: () = {
    #[allow(unused_imports)]
    use {rpc as _, skip_metrics as _};
};

fn main() {
    let _ = Service;
    let snapshot = GrpcMetrics::global().snapshot();
    // Beside those of the library that this links.
    let own = snapshot.methods().iter().filter(|of| of.service() != support::scripted::SERVICE);
    let methods: Vec<_> = own.map(|method| method.method()).collect();
    assert_eq!(methods, ["ONE", "UpLoad"]);
}
