use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::plain_server::Plain;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status};

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Plain for Service {
    #[skip_metrics]
    #[rpc(name = "GetKV", slo(availability = 99))]
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }

    #[rpc(span = false)]
    #[skip_metrics]
    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }
}

fn main() {}
