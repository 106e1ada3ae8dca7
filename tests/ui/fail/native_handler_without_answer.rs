use std::future::Future;

use grpc_metrics_runtime::instrument_grpc;
use tonic::{Request, Response, Status};

type Answered = Result<Response<()>, Status>;

trait Native {
    fn first(&self, request: Request<()>) -> impl Future<Output = Answered> + Send;
    fn second(&self, request: Request<()>) -> impl Future<Output = Answered> + Send;
}

struct Service;

#[instrument_grpc]
impl Native for Service {
    async fn first(&self, request: Request<()>) -> Answered {
        let _ = request;
    }

    #[allow(clippy::unused_async)]
    async fn second(&self, _: Request<()>) -> Answered {}
}

fn main() {}
