#[derive(Debug, thiserror::Error, GrpcStatus)]
enum AppError<E> {
    #[error("no post {0}")]
    #[status(NotFound)]
    NoPost(u64),
    #[error("database: {source}")]
    #[status(Internal, message = "storage failed", cause = "database")]
    Db { source: StoreError },
    #[error(transparent)]
    #[status(transparent)]
    Upstream(#[from] tonic::Status),
    #[error(transparent)]
    #[status(transparent)]
    Inner(E),
}
