::core::compile_error! {
    "empty `target`: give a name that tells upstreams apart, `target = \"billing\"`, or remove `target`"
}
::core::compile_error! {
    "unknown argument `tagret`; did you mean `target`?"
}
::core::compile_error! {
    "`crate = facade` is relative: write `crate = ::facade` for a dependency, or `crate = crate::facade` for a module"
}
::core::compile_error! {
    "`target` takes a name that tells upstreams apart: `target = \"billing\"`; found `target = billing`"
}
pub mod greeter_client {
    #![allow(dead_code)]
    pub struct GreeterClient<T> {
        inner: tonic::client::Grpc<T>,
    }
}
