//! Section N of the contract, N2: pushes to a collector.

mod counts;
mod dead;
mod pushes;
mod variables;

use std::time::Duration;

use grpc_metrics_runtime::GrpcMetrics;
use grpc_metrics_runtime::otlp::{Pusher, PusherBuilder};
use grpc_metrics_runtime::prometheus::Registry;
use support::collector::Collector;
use tonic::Code;

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3600);

/// Metrics of one RPC.
fn metrics() -> GrpcMetrics {
    let metrics = GrpcMetrics::builder().registry(&Registry::new()).build().expect("right");
    metrics.guard("pkg.Service", "Method").complete(Code::Ok);
    metrics
}

/// Metrics that take several requests.
fn large_metrics() -> GrpcMetrics {
    let metrics = metrics();
    // With names of 4 KB, fewer methods are large.
    for i in 0..100 {
        metrics.guard("pkg.Service", format!("Method{i:04096}").leak()).complete(Code::Ok);
    }
    metrics
}

/// A pusher that only pushes when it is told to.
fn pusher(metrics: &GrpcMetrics, collector: &Collector) -> PusherBuilder {
    Pusher::builder(metrics).endpoint(collector.endpoint()).interval(NEVER)
}
