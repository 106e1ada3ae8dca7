use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::streams_server::Streams;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status};

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Streams for Service {
    type ReadStream = tokio_stream::Empty<Result<Answer, Status>>;
    async fn read(&self, _: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        let _ = Self::ReadStream::nope();
        let stream: Self::ReadStream = 5;
        Ok(Response::new(stream))
    }

    type TailStream = Self::ReadStream;
    async fn tail(&self, _: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        Ok(Response::new(tokio_stream::empty::<u8>() as Self::TailStream))
    }
}

fn main() {}
