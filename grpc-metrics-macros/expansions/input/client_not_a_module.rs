#[instrument_grpc_client(tagret = "billing")]
pub(crate) struct GreeterClient<T> {
    inner: tonic::client::Grpc<T>,
}
