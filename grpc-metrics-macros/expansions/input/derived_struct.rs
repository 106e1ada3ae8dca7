#[derive(Debug, thiserror::Error, GrpcStatus)]
#[error("closed")]
#[status(Unavailable, crate = ::kit::grpc_metrics_runtime)]
pub(crate) struct Closed;
