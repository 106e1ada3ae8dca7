use grpc_metrics_runtime::GrpcStatus;

#[derive(Debug, thiserror::Error, GrpcStatus)]
#[status(Internal)]
enum AppError {
    #[error("gone")]
    #[status(NotFound)]
    Gone,
}

fn main() {}
