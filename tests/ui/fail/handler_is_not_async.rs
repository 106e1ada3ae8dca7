use grpc_metrics_runtime::instrument_grpc;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
trait Greeter {
    async fn first(&self, request: Request<()>) -> Result<Response<()>, Status>;
}

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Greeter for Service {
    fn first(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Err(Status::aborted("always"))
    }
}

fn main() {}
