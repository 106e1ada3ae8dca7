use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::streams_server::Streams;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status};

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Streams for Service {
    type ReadStream = tokio_stream::Empty<Result<Ask, Status>>;
    async fn read(&self, _: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }

    type TailStream = tokio_stream::Empty<Result<Answer, Status>>;
    async fn tail(&self, _: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }
}

fn main() {}
