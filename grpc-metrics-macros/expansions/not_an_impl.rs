::core::compile_error! {
    "#[instrument_grpc] goes above the impl of a service, `impl Greeter for MyGreeter { … }`, not above `struct`"
}
pub(crate) struct MyGreeter {
    store: Store,
}
