use grpc_metrics_runtime::instrument_grpc;
use tonic::{Response, Status};

#[tonic::async_trait]
trait Wrong {
    async fn bare(&self, message: Vec<u8>) -> Result<Response<()>, Status>;
}

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Wrong for Service {
    async fn bare(&self, message: Vec<u8>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }
}

#[tokio::main]
async fn main() {
    let _ = Service.bare(Vec::new()).await;
}
