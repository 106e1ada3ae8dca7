use grpc_metrics_runtime::instrument_grpc;
use tonic::{Request, Response, Status};

type Answered = Result<Response<()>, Status>;

#[tonic::async_trait]
trait Names {
    async fn empty(&self, request: Request<()>) -> Answered;
    async fn number(&self, request: Request<()>) -> Answered;
    async fn bare(&self, request: Request<()>) -> Answered;
    async fn nothing(&self, request: Request<()>) -> Answered;
    async fn value(&self, request: Request<()>) -> Answered;
    async fn unnamed(&self, request: Request<()>) -> Answered;
    async fn other(&self, request: Request<()>) -> Answered;
    async fn more(&self, request: Request<()>) -> Answered;
    async fn both(&self, request: Request<()>) -> Answered;
    async fn twice(&self, request: Request<()>) -> Answered;
    async fn span(&self, request: Request<()>) -> Answered;
    async fn spans(&self, request: Request<()>) -> Answered;
}

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Names for Service {
    #[rpc(span = "no")]
    async fn span(&self, _: Request<()>) -> Answered {
        todo!()
    }

    #[rpc(span)]
    async fn spans(&self, _: Request<()>) -> Answered {
        todo!()
    }

    #[rpc(name = "")]
    async fn empty(&self, _: Request<()>) -> Answered {
        todo!()
    }

    #[rpc(name = 5)]
    async fn number(&self, _: Request<()>) -> Answered {
        todo!()
    }

    #[rpc]
    async fn bare(&self, _: Request<()>) -> Answered {
        todo!()
    }

    #[rpc()]
    async fn nothing(&self, _: Request<()>) -> Answered {
        todo!()
    }

    #[rpc = "Value"]
    async fn value(&self, _: Request<()>) -> Answered {
        todo!()
    }

    #[rpc("Unnamed")]
    async fn unnamed(&self, _: Request<()>) -> Answered {
        todo!()
    }

    #[rpc(method = "Other")]
    async fn other(&self, _: Request<()>) -> Answered {
        todo!()
    }

    #[rpc(name = "More", kind = "unary")]
    async fn more(&self, _: Request<()>) -> Answered {
        todo!()
    }

    #[rpc(name = "Both", name = "Neither")]
    async fn both(&self, _: Request<()>) -> Answered {
        todo!()
    }

    #[rpc(name = "Twice")]
    #[grpc_metrics_runtime::rpc(name = "Again")]
    async fn twice(&self, _: Request<()>) -> Answered {
        todo!()
    }
}

#[tokio::main]
async fn main() {
    let _ = Service.empty(Request::new(())).await;
}
