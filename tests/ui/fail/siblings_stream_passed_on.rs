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
        Ok(Response::new(tokio_stream::empty()))
    }

    type TailStream = Self::ReadStream;
    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        self.read(request).await
    }
}

fn main() {}
