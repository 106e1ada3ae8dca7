// Written as users write.
#![allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]

use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::plain_server::{self, Plain, PlainServer};
use support::shapes::pb::{Answer, Ask};
use tonic::server::NamedService;
use tonic::{Request, Response, Status};

macro_rules! service {
    ($name:ident, $trait_:path, $($arguments:tt)*) => {
        struct $name;

        #[instrument_grpc($($arguments)*)]
        #[tonic::async_trait]
        impl $trait_ for $name {
            async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
                Err(Status::aborted("always"))
            }

            async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
                Err(Status::aborted("always"))
            }
        }
    };
}

const PREFIXED: &str = concat!("prefix.", "Plain");

service!(Bare, Plain,);
service!(ByModule, plain_server::Plain,);
service!(ByLongPath, support::shapes::pb::plain_server::Plain,);
service!(Literal, Plain, service = "literal");
service!(Constant, Plain, service = PREFIXED,);
service!(OfTonic, Plain, service = plain_server::SERVICE_NAME);
service!(Named, Plain, service = <PlainServer<()> as NamedService>::NAME);
service!(
    Block,
    Plain,
    service = {
        const LABEL: &str = "block";
        LABEL
    }
);
service!(
    Concat,
    Plain,
    service = concat!("a", "b"),
    streams = true,
    crate = ::grpc_metrics_runtime
);

fn main() {
    let _ = (Bare, ByModule, ByLongPath, Literal, Constant, OfTonic, Named, Block, Concat);
    let snapshot = grpc_metrics_runtime::GrpcMetrics::global().snapshot();
    let mut labels: Vec<_> = snapshot.methods().iter().map(|method| method.service()).collect();
    labels.dedup();
    // One is of the library that this links.
    labels.retain(|label| *label != support::scripted::SERVICE);
    let expected = ["Plain", "ab", "block", "literal", "prefix.Plain", "testing.shapes.v1.Plain"];
    assert_eq!(labels, expected);
}
