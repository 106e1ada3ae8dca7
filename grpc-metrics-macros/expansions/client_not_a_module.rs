::core::compile_error! {
    "unknown argument `tagret`; did you mean `target`?"
}
::core::compile_error! {
    "`#[instrument_grpc_client]` can't be applied to this `struct`: it belongs above the client modules that tonic generates, so write `.client_mod_attribute(\".\", \"#[::grpc_metrics_runtime::instrument_grpc_client]\")` in build.rs"
}
pub(crate) struct GreeterClient<T> {
    inner: tonic::client::Grpc<T>,
}
