//! A service trait without `#[async_trait]`.

// Written as users write.
#![allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]

use grpc_metrics_runtime::{GrpcMetrics, instrument_grpc};
use tokio_stream::{Stream, StreamExt};
use tonic::{Code, Request, Response, Status};

trait Native {
    type WatchStream: Stream<Item = Result<u8, Status>>;

    fn first(
        &self,
        request: Request<u8>,
    ) -> impl Future<Output = Result<Response<u8>, Status>> + Send;

    fn watch(
        &self,
        request: Request<u8>,
    ) -> impl Future<Output = Result<Response<Self::WatchStream>, Status>> + Send;

    fn ignore(
        &self,
        request: Request<u8>,
    ) -> impl Future<Output = Result<Response<()>, Status>> + Send;
}

struct Service;

#[instrument_grpc(service = "native")]
impl Native for Service {
    async fn first(&self, mut request: Request<u8>) -> Result<Response<u8>, Status> {
        *request.get_mut() += 1;
        match request.into_inner() {
            0 => return Err(Status::not_found("zero")),
            number => Ok(Response::new(number)),
        }
    }

    type WatchStream = std::pin::Pin<Box<dyn Stream<Item = Result<u8, Status>> + Send>>;
    async fn watch(&self, request: Request<u8>) -> Result<Response<Self::WatchStream>, Status> {
        let number = request.into_inner();
        if number == 0 {
            return Ok(Response::new(Box::pin(tokio_stream::empty())));
        }
        Ok(Response::new(Box::pin(tokio_stream::iter([Ok(number), Err(Status::aborted("end"))]))))
    }

    #[tracing::instrument(skip_all, err)]
    async fn ignore(&self, _: Request<u8>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }
}

#[tokio::main]
async fn main() {
    assert_eq!(Service.first(Request::new(1)).await.unwrap().into_inner(), 2);
    let stream = Service.watch(Request::new(1)).await.unwrap().into_inner();
    assert_eq!(stream.collect::<Vec<_>>().await.len(), 2);
    let stream = Service.watch(Request::new(0)).await.unwrap().into_inner();
    assert_eq!(stream.collect::<Vec<_>>().await.len(), 0);
    assert!(Service.ignore(Request::new(0)).await.is_ok());
    let snapshot = GrpcMetrics::global().snapshot();
    let count =
        |method, code| snapshot.method("native", method).map(|method| method.requests(code));
    assert_eq!(count("First", Code::Ok), Some(1));
    assert_eq!(count("Watch", Code::Ok), Some(1));
    assert_eq!(count("Watch", Code::Aborted), Some(1));
    assert_eq!(count("Ignore", Code::Ok), Some(1));
}
