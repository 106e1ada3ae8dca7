use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::streams_server::Streams;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status};

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Streams for Service {
    type ReadStream = tokio_stream::Empty<Result<Answer, Status>>;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        let count: String = request.get_ref().count;
        if request.into_inner().code == 0 {
            return Err("no code");
        }
        let stream: Self::ReadStream = vec![count];
        missing(stream);
        drop();
        Ok(Response::new(1))
    }

    type TailStream = tokio_stream::Empty<Result<Answer, Status>>;
    async fn tail(&self, _: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        let _ = Answer { number: 1 }.missing;
    }
}

fn main() {}
