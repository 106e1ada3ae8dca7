use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::plain_server::Plain;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status};

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Plain for Service {
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        let number = std::rc::Rc::new(1);
        tokio::task::yield_now().await;
        Ok(Response::new(Answer { number: *number }))
    }

    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }
}

fn main() {}
