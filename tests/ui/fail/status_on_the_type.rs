use grpc_metrics_runtime::GrpcStatus;

#[derive(Debug, thiserror::Error, GrpcStatus)]
#[status(Internal)]
enum AppError {
    #[error("gone")]
    #[status(NotFound)]
    Gone,
}

#[derive(Debug, thiserror::Error, GrpcStatus)]
#[error("gone")]
#[status(NotFound, crate = runtime)]
struct RelativePath;

#[derive(Debug, thiserror::Error, GrpcStatus)]
#[error("{0}")]
#[status(NotFound)]
struct Borrowing<'a>(&'a str);

fn main() {}
