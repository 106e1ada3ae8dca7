use grpc_metrics_runtime::instrument_grpc_client;

#[instrument_grpc_client]
pub struct Client;

fn main() {
    let _ = Client;
}
