use grpc_metrics_runtime::instrument_grpc;
use tonic::{Request, Response, Status};

mod own_server {
    #[tonic::async_trait]
    pub trait Own {
        async fn first(&self, request: tonic::Request<()>) -> super::Answered;
    }
}

type Answered = Result<Response<()>, Status>;

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl own_server::Own for Service {
    async fn first(&self, _: Request<()>) -> Answered {
        Ok(Response::new(()))
    }
}

#[tokio::main]
async fn main() {
    use own_server::Own;
    let _ = Service.first(Request::new(())).await;
}
