use grpc_metrics_runtime::instrument_grpc;
use tonic::{Request, Status};

#[tonic::async_trait]
trait Wrong {
    type WatchStream;
    async fn watch(&self, request: Request<()>) -> Result<Self::WatchStream, Status>;
}

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Wrong for Service {
    type WatchStream = tokio_stream::Empty<u8>;
    async fn watch(&self, request: Request<()>) -> Result<Self::WatchStream, Status> {
        Ok(tokio_stream::empty())
    }
}

fn main() {}
