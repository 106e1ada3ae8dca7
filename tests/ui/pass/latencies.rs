//! Durations of every form, and a percentile that is written once for the latencies of two methods.

// Written as users write.
#![allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]

use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::empty_server::Empty;
use support::shapes::pb::plain_server::Plain;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status};

macro_rules! latencies {
    ($($name:ident $latency:literal)*) => {$(
        struct $name;

        #[instrument_grpc(service = stringify!($name), slo(latency = $latency, percentile = 95))]
        impl Empty for $name {}
    )*};
}

latencies! {
    Nano "1ns"
    MicroSign "250µs"
    GreekLetter "250μs"
    Ascii "250us"
    Spaced "1.5 s"
    NoWhole ".5m"
    NoFraction "2.h"
    Zeros "0001.5000000000000000000000s"
    Exact "0.0000000000025h"
    Longest "600h"
}

struct Once;

#[instrument_grpc(slo(availability = 99.9, percentile = 99))]
#[tonic::async_trait]
impl Plain for Once {
    #[rpc(slo(latency = "2s"))]
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Ok(Response::new(Answer::default()))
    }

    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Ok(Response::new(Answer::default()))
    }
}

fn main() {}
