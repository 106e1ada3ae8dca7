//! What tonic makes of the protos.
#![allow(clippy::all, clippy::pedantic, missing_debug_implementations, unreachable_pub)]

tonic::include_proto!("testing.v1");

/// The services of the tests of names.
pub mod names {
    tonic::include_proto!("names.v1");
}

/// Prometheus's protobuf format.
pub mod prometheus {
    tonic::include_proto!("io.prometheus.client");
}

/// The client of the scripted service, measured.
pub mod measured {
    include!(concat!(env!("OUT_DIR"), "/measured/testing.v1.rs"));
}
