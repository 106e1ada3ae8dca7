use grpc_metrics_runtime::instrument_grpc;
use tonic::{Request, Status};

#[tonic::async_trait]
trait Counts {
    async fn first(&self, request: Request<()>) -> Result<u8, Status>;
}

struct Service;

#[instrument_grpc(streams = false)]
#[tonic::async_trait]
impl Counts for Service {
    async fn first(&self, _: Request<()>) -> Result<u8, Status> {
        Ok(1)
    }
}

fn main() {}
