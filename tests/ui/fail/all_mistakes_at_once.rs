use grpc_metrics_runtime::instrument_grpc;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
trait Several {
    async fn first(&self) -> Result<Response<()>, Status>;
    async fn second(&self, request: Request<()>) -> Result<Response<()>, Status>;
    fn third(&self, request: Request<()>);
}

struct Service;

#[instrument_grpc(sevice = "label", streams = 1, metrics)]
#[tonic::async_trait]
impl Several for Service {
    #[rpc(name = "")]
    #[cfg_attr(all(), skip_metrics)]
    async fn first(&self) -> Result<Response<()>, Status> {
        Err(Status::aborted("always"))
    }

    #[skip_metrics(now)]
    #[rpc(name = "Other", span = false)]
    async fn second(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Err(Status::aborted("always"))
    }

    fn third(&self, _: Request<()>) {}
}

#[tokio::main]
async fn main() {
    // No second error: the methods are there.
    let _ = Service.first().await;
    let _ = Service.second(Request::new(())).await;
    Service.third(Request::new(()));
}
