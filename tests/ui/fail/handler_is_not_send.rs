use grpc_metrics_runtime::instrument_grpc;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
trait Greeter {
    async fn first(&self, request: Request<()>) -> Result<Response<()>, Status>;
}

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Greeter for Service {
    async fn first(&self, _: Request<()>) -> Result<Response<()>, Status> {
        let number = std::rc::Rc::new(1);
        tokio::task::yield_now().await;
        drop(number);
        Ok(Response::new(()))
    }
}

fn main() {}
