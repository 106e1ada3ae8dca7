use grpc_metrics_runtime::instrument_grpc;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
trait Mixed {
    async fn first(&self, request: Request<()>) -> Result<Response<()>, Status>;
    async fn second(&self, request: Request<()>) -> Result<Response<()>, Status>;
    async fn help(&self) -> u8;
}

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
#[instrument_grpc]
impl Mixed for Service {
    #[rpc(name = "Second")]
    async fn first(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Err(Status::aborted("always"))
    }

    #[rpc(name = "First")]
    async fn second(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Err(Status::aborted("always"))
    }

    #[skip_metrics]
    async fn help(&self) -> u8 {
        0
    }
}

#[tokio::main]
async fn main() {
    let _ = Service.first(Request::new(())).await;
    let _ = Service.help().await;
}
