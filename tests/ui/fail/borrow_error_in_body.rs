use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::plain_server::Plain;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status};

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Plain for Service {
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        let ask = request.into_inner();
        let moved = request.get_ref().count;
        Ok(Response::new(Answer { number: ask.count + moved }))
    }

    async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        let count = &mut request.get_mut().count;
        drop(request);
        Ok(Response::new(Answer { number: *count }))
    }
}

fn main() {}
