use grpc_metrics_runtime::instrument_grpc_client;

#[instrument_grpc_client(target = "", tagret = "billing", target = billing)]
pub mod a_client {
    pub struct AClient<T> {
        pub inner: T,
    }
}

#[instrument_grpc_client]
#[instrument_grpc_client(target = "a")]
pub mod b_client {
    pub struct BClient;
}

fn main() {
    let _ = a_client::AClient { inner: 1 };
    let _ = b_client::BClient;
}
