use grpc_metrics_runtime::GrpcStatus;

#[derive(Debug, thiserror::Error, GrpcStatus)]
enum AppError {
    #[error(transparent)]
    #[status(transparent)]
    Io(#[from] std::io::Error),
}

fn main() {}
