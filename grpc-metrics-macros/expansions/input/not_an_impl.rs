#[instrument_grpc]
pub(crate) struct MyGreeter {
    store: Store,
}
