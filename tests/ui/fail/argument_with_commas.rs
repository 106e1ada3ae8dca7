use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::plain_server::Plain;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status};

struct Service;

#[instrument_grpc(sevice = <Labels<u8, u8> as Named>::NAME, streams = Labels::<u8, u8>::ON, service = "a")]
#[tonic::async_trait]
impl Plain for Service {
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }

    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }
}

fn main() {}
