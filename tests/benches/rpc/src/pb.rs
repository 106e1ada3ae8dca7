//! What tonic makes of the proto.
#![allow(clippy::all, clippy::pedantic, missing_debug_implementations, unreachable_pub)]

tonic::include_proto!("bench.v1");

/// The client with the attribute.
pub(crate) mod measured {
    include!(concat!(env!("OUT_DIR"), "/measured/bench.v1.rs"));
}
