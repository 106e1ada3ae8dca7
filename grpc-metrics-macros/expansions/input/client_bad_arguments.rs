#[instrument_grpc_client(target = "", tagret = "billing", crate = facade, target = billing)]
pub mod greeter_client {
    #![allow(dead_code)]

    pub struct GreeterClient<T> {
        inner: tonic::client::Grpc<T>,
    }
}
