use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::streams_server::Streams;
use support::shapes::pb::{Answer, Ask};
use tokio_stream::Empty;
use tonic::{Request, Response, Status};

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Streams for Service {
    type ReadStream = Empty<Result<Answer, Status>>;
    async fn read(&self, _: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }

    type TailStream = Empty<Result<Answer, Status>>;
    async fn tail(&self, _: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }
}

fn nothing() -> <Service as Streams>::ReadStream {
    tokio_stream::empty()
}

#[tokio::main]
async fn main() {
    let _ = nothing();
    let _: Empty<_> = Service.tail(Request::new(Ask::default())).await.unwrap().into_inner();
}
