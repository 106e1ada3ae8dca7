//! Two impls that end up with one service label, in a program of their own: its argument says what it
//! does about that. The text of the default registry goes to stdout.

use std::env;

use grpc_metrics_runtime::prometheus::{Registry, default_registry};
use grpc_metrics_runtime::{Error, GrpcMetrics, instrument_grpc};
use support::pb::names::Nothing;
use support::scrape::text;
use tonic::{Request, Response, Status};

type Answer = Result<Response<Nothing>, Status>;

mod one {
    use super::{Answer, Nothing, Request, Response, instrument_grpc};
    use support::pb::names::bare_server::Bare;

    pub(crate) struct First;

    #[instrument_grpc(slo(availability = 99))]
    #[tonic::async_trait]
    impl Bare for First {
        async fn say(&self, request: Request<Nothing>) -> Answer {
            Ok(Response::new(request.into_inner()))
        }
    }
}

mod other {
    use super::{Answer, GrpcMetrics, Nothing, Request, Status, instrument_grpc};
    use support::pb::names::renamed_server::Renamed;

    pub(crate) struct Second;

    #[instrument_grpc(
        service = "Bare",
        metrics = GrpcMetrics::global(),
        slo(latency = "1s", percentile = 95)
    )]
    #[tonic::async_trait]
    impl Renamed for Second {
        async fn say(&self, _: Request<Nothing>) -> Answer {
            Err(Status::not_found("nothing"))
        }
    }
}

#[tokio::main]
async fn main() {
    use support::pb::names::{bare_server::Bare, renamed_server::Renamed};

    let registry = Registry::new();
    let builder = GrpcMetrics::builder().registry(&registry);
    match env::args().nth(1).as_deref() {
        Some("build") => {
            let error = builder.build().unwrap_err();
            let Error::DuplicateServices(duplicates) = &error else {
                panic!("another error: {error:?}");
            };
            assert_eq!(duplicates.len(), 1);
            assert_eq!(duplicates[0].service, "Bare");
            assert_eq!(duplicates[0].impls.len(), 2);
            assert_eq!(text(&registry), "");
            eprintln!("{error}");
            return;
        }
        Some("allow") => {
            let allowed = builder.allow_duplicate_services().build();
            allowed.unwrap().install().unwrap();
        }
        Some("call") => {}
        other => panic!("no such task: {other:?}"),
    }
    for _ in 0..2 {
        one::First.say(Request::new(Nothing {})).await.unwrap();
        let answer = other::Second.say(Request::new(Nothing {})).await;
        answer.unwrap_err();
    }
    println!("{}--\n{}", text(default_registry()), text(&registry));
}
