//! Pushes the metrics to a collector.

use grpc_metrics_runtime::{
    GrpcMetrics,
    otlp::{PushError, Pusher},
    tonic::Code,
};

use crate::{screen::print_error, service::Service, traces};

/// Starts to push to this address, by OTLP over gRPC.
pub(crate) fn push_to(
    address: &str,
    metrics: &GrpcMetrics,
    service: Option<Service>,
) -> Result<Pusher, String> {
    let pusher = Pusher::builder(metrics).endpoint(format!("http://{address}"));
    let pusher = pusher.service_name(traces::name(service)).start();
    pusher.map_err(|error| error.to_string())
}

/// Pushes the last counts.
pub(crate) async fn end(pusher: Pusher) {
    match pusher.shutdown().await {
        Ok(()) => {}
        // A collector of spans alone, such as Jaeger.
        Err(PushError::Failed(status)) if status.code() == Code::Unimplemented => {}
        Err(error) => print_error(&format!("the last counts are not pushed: {error}")),
    }
}
