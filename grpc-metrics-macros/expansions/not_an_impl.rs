::core::compile_error! {
    "`#[instrument_grpc]` can't be applied to this `struct`: put it above the impl of a service, `impl Greeter for MyGreeter { … }`"
}
pub(crate) struct MyGreeter {
    store: Store,
}
