use grpc_metrics_runtime::{rpc, skip_metrics};
use support::shapes::pb::plain_server::Plain;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status};

struct Service;

#[tonic::async_trait]
impl Plain for Service {
    #[skip_metrics]
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }

    #[rpc(name = "Other")]
    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }
}

#[skip_metrics]
fn free() {}

#[grpc_metrics_runtime::rpc(name = "Struct")]
struct Unit;

#[grpc_metrics_runtime::instrument_grpc]
#[tonic::async_trait]
impl support::shapes::pb::streams_server::Streams for Service {
    #[skip_metrics]
    type ReadStream = tokio_stream::Empty<Result<Answer, Status>>;
    async fn read(&self, _: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }

    type TailStream = Self::ReadStream;
    async fn tail(&self, _: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }
}

#[tokio::main]
async fn main() {
    let _ = Service.first(Request::new(Ask::default())).await;
    free();
    let _ = Unit;
}
