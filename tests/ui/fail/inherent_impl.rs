use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status};

struct Service;

#[instrument_grpc(service = "unused", servce = "twice wrong")]
impl Service {
    #[skip_metrics]
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("always"))
    }
}

struct Borrowing<'a>(&'a str);

#[instrument_grpc]
impl<'a> Borrowing<'a> {
    fn text(&self) -> &'a str {
        self.0
    }
}

fn main() {
    let _ = Service.first(Request::new(Ask::default()));
}
