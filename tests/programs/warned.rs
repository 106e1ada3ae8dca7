//! Impls of which there is something to say at start-up. With the argument `build`, by an instance of the
//! program's own. What `GrpcMetrics::warnings` gives goes to stdout.

use std::{env, fmt};

use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, instrument_grpc, instrument_grpc_client};
use support::pb::names::literal_server::Literal;
use support::pb::names::{Nothing, bare_server, renamed_server};
use tonic::{Request, Response, Status};

type Answer = Result<Response<Nothing>, Status>;

macro_rules! rpcs {
    () => {};
}

mod aliased {
    use super::{Answer, Nothing, Request, Response, instrument_grpc};
    use support::pb::names::bare_server::Bare as Api;

    pub(crate) struct Aliased<T>(pub(crate) T);

    #[instrument_grpc]
    #[tonic::async_trait]
    impl<T: Send + Sync + 'static> Api for Aliased<T> {
        async fn say(&self, request: Request<Nothing>) -> Answer {
            Ok(Response::new(request.into_inner()))
        }
    }
}

mod plain {
    use super::{Answer, Nothing, Request, Response, instrument_grpc};
    use support::pb::names::bare_server::Bare;

    pub(crate) struct Plain;

    #[instrument_grpc]
    #[tonic::async_trait]
    impl Bare for Plain {
        async fn say(&self, request: Request<Nothing>) -> Answer {
            Ok(Response::new(request.into_inner()))
        }
    }
}

/// Inside another trait's impl, which is none of the service's.
impl fmt::Display for plain::Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Inner;

        #[instrument_grpc]
        #[tonic::async_trait]
        impl Literal for Inner {
            async fn say(&self, request: Request<Nothing>) -> Answer {
                Ok(Response::new(request.into_inner()))
            }
        }

        let _ = Inner;
        f.write_str("plain")
    }
}

#[instrument_grpc_client]
mod odd_client {
    pub(crate) struct OddClient;
}

struct Calls;

#[instrument_grpc]
#[tonic::async_trait]
impl renamed_server::Renamed for Calls {
    rpcs! {}

    #[cfg(any())]
    rpcs!();

    async fn say(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
}

struct KnowsIt;

#[instrument_grpc(service = "warned.KnowsIt")]
#[tonic::async_trait]
impl bare_server::Bare for KnowsIt {
    #[skip_metrics]
    rpcs! {}

    async fn say(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
}

fn main() {
    let _ = (aliased::Aliased(1), plain::Plain, Calls, KnowsIt, odd_client::OddClient);
    if env::args().nth(1).as_deref() == Some("build") {
        for _ in 0..2 {
            let builder = GrpcMetrics::builder().registry(&Registry::new());
            builder.build().unwrap();
        }
    }
    GrpcMetrics::global();
    println!("--");
    for warning in GrpcMetrics::warnings() {
        println!("{warning}");
    }
}
