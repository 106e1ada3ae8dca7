use grpc_metrics_runtime::instrument_grpc;
use std::pin::Pin;
use support::shapes::pb::streams_server::Streams;
use support::shapes::pb::{Answer, Ask};
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

type Boxed = Pin<Box<dyn Stream<Item = Result<Answer, Status>> + Send>>;

struct AppError;

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Streams for Service {
    type ReadStream = Boxed;
    async fn read(&self, _: Request<Ask>) -> Result<Response<Self::ReadStream>, AppError> {
        Err(AppError)
    }

    type TailStream = Boxed;
    async fn tail(&self, _: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        Err(Status::aborted("always"))
    }
}

fn main() {}
