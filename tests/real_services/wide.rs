//! 177 methods in one impl, written by the build script.

use grpc_metrics_runtime::{GrpcMetrics, instrument_grpc};
use real_services::wide::{Answer, Ask, wide_client, wide_server};
use support::shapes::serve;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

struct Wide;

/// Every third fails.
fn answer(number: u32, request: Request<Ask>) -> Result<Response<Answer>, Status> {
    let Ask {} = request.into_inner();
    match number % 3 {
        0 => Err(Status::aborted("a third")),
        _ => Ok(Response::new(Answer { number })),
    }
}

fn ask() -> Request<Ask> {
    Request::new(Ask {})
}

fn check(number: u32, answer: Result<Response<Answer>, Status>) {
    let answer = answer.map(|answer| answer.into_inner().number).map_err(|status| status.code());
    assert_eq!(answer, if number.is_multiple_of(3) { Err(Code::Aborted) } else { Ok(number) });
}

include!(concat!(env!("OUT_DIR"), "/wide_impl.rs"));

#[tokio::test]
async fn a_service_of_177_methods() {
    let channel = serve(Routes::new(wide_server::WideServer::new(Wide))).await;
    call_all(&mut wide_client::WideClient::new(channel)).await;
    let snapshot = GrpcMetrics::global().snapshot();
    let methods = snapshot.methods().iter();
    let methods: Vec<_> = methods.filter(|method| method.service() == "wide.v1.Wide").collect();
    assert_eq!(methods.len(), 177);
    for method in methods {
        let number: u32 = method.method().trim_start_matches("Method").parse().unwrap();
        let code = if number.is_multiple_of(3) { Code::Aborted } else { Code::Ok };
        assert_eq!((method.requests(code), method.finished()), (1, 1), "{number}");
    }
}
