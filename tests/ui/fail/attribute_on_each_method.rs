use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::plain_server::Plain;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status};

struct Service;

#[tonic::async_trait]
impl Plain for Service {
    #[instrument_grpc]
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }

    #[instrument_grpc(span = false)]
    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }
}

#[tokio::main]
async fn main() {
    let _ = Service.first(Request::new(Ask::default())).await;
}
