use grpc_metrics_runtime::instrument_grpc;
use tonic::{Request, Response, Status};

trait Native {
    fn bound(&self, request: Request<()>) -> impl Future<Output = Result<Response<()>, Status>>;
}

struct Service;

#[instrument_grpc]
impl Native for Service {
    async fn bound(&self, request @ _: Request<()>) -> Result<Response<()>, Status> {
        let _ = request;
        Ok(Response::new(()))
    }
}

#[tokio::main]
async fn main() {
    let _ = Service.bound(Request::new(())).await;
}
