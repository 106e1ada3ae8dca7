use grpc_metrics_runtime::instrument_grpc;
use tonic::{Request, Status};

#[tonic::async_trait]
trait Wrong {
    async fn text(&self, request: Request<()>) -> String;
    async fn bare(&self, request: Request<()>) -> Result<u8, Status>;
    async fn nothing(&self, request: Request<()>);
    async fn traced(&self, request: Request<()>);
}

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Wrong for Service {
    async fn text(&self, request: Request<()>) -> String {
        String::new()
    }

    async fn bare(&self, request: Request<()>) -> Result<u8, Status> {
        Ok(1)
    }

    async fn nothing(&self, request: Request<()>) {}

    #[tracing::instrument(skip_all)]
    async fn traced(&self, request: Request<()>) {}
}

#[tokio::main]
async fn main() {
    let request = || Request::new(());
    Service.text(request()).await.len();
    let _ = Service.bare(request()).await;
    Service.nothing(request()).await;
}
