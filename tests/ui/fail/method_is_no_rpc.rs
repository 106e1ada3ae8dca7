use grpc_metrics_runtime::instrument_grpc;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
trait Mixed {
    async fn without_request(&self) -> Result<Response<()>, Status>;
    async fn with_two(&self, request: Request<()>, more: u8) -> Result<Response<()>, Status>;
    fn not_async(&self, request: Request<()>);
}

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Mixed for Service {
    async fn without_request(&self) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    async fn with_two(&self, request: Request<()>, more: u8) -> Result<Response<()>, Status> {
        let _ = (request, more);
        Ok(Response::new(()))
    }

    fn not_async(&self, _: Request<()>) {}
}

#[tokio::main]
async fn main() {
    let _ = Service.without_request().await;
    let _ = Service.with_two(Request::new(()), 2).await;
    Service.not_async(Request::new(()));
}
