use std::fmt;

use grpc_metrics_runtime::instrument_grpc;

struct Service;

#[instrument_grpc]
impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("service")
    }
}

#[instrument_grpc]
impl Drop for Service {
    fn drop(&mut self) {}
}

#[instrument_grpc]
impl Default for Service {
    fn default() -> Self {
        Self
    }
}

fn main() {
    println!("{}", Service::default());
}
