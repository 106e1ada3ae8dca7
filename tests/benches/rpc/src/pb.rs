//! What tonic makes of the proto.
#![allow(clippy::all, clippy::pedantic, missing_debug_implementations, unreachable_pub)]

tonic::include_proto!("bench.v1");
