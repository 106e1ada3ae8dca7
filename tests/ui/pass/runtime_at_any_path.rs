//! `crate = PATH`, by a path that any module may write.

// Written as users write.
#![allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]

mod kit {
    pub mod service {
        pub use grpc_metrics_runtime as metrics;

        use support::shapes::pb::plain_server::Plain;
        use support::shapes::pb::{Answer, Ask};
        use tonic::{Request, Response, Status};

        macro_rules! service {
            ($name:ident, $($path:tt)*) => {
                struct $name;

                #[metrics::instrument_grpc(service = stringify!($name), crate = $($path)*)]
                #[tonic::async_trait]
                impl Plain for $name {
                    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
                        Err(Status::aborted("always"))
                    }

                    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
                        Err(Status::aborted("always"))
                    }
                }
            };
        }

        service!(FromTheRoot, crate::kit::service::metrics);
        service!(FromAbove, super::service::metrics);
        service!(FromHere, self::metrics);
        service!(FromOutside, ::grpc_metrics_runtime);

        pub fn all() {
            let _ = (FromTheRoot, FromAbove, FromHere, FromOutside);
        }
    }
}

fn main() {
    kit::service::all();
    let snapshot = kit::service::metrics::GrpcMetrics::global().snapshot();
    for service in ["FromTheRoot", "FromAbove", "FromHere", "FromOutside"] {
        assert!(snapshot.method(service, "First").is_some(), "{service}");
    }
}
