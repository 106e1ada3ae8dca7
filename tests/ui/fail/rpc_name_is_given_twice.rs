use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::plain_server::Plain;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status};

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Plain for Service {
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }

    #[rpc(name = "First")]
    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }
}

struct Sometimes;

#[instrument_grpc]
#[tonic::async_trait]
impl Plain for Sometimes {
    #[cfg(all())]
    #[rpc(name = "Other")]
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }

    #[rpc(name = "Other")]
    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }
}

struct Both;

#[instrument_grpc]
#[tonic::async_trait]
impl Plain for Both {
    #[cfg(all())]
    #[rpc(name = "Other")]
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }

    #[cfg(all())]
    #[rpc(name = "Other")]
    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }
}

fn main() {}
