use grpc_metrics_runtime::GrpcStatus;

#[derive(Debug, GrpcStatus)]
enum AppError {
    #[status(NotFound)]
    Gone,
}

fn main() {}
