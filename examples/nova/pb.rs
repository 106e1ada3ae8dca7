//! The code generated from the protos.

#![allow(clippy::pedantic, missing_debug_implementations, unreachable_pub, unused_qualifications)]

pub mod auth {
    tonic::include_proto!("nova.auth.v1");
}
pub mod content {
    tonic::include_proto!("nova.content.v1");
}
pub mod feed {
    tonic::include_proto!("nova.feed.v1");
}
pub mod messaging {
    tonic::include_proto!("nova.messaging.v1");
}
pub mod streaming {
    tonic::include_proto!("nova.streaming.v1");
}
pub mod user {
    tonic::include_proto!("nova.user.v1");
}

/// The clients of the load, which are not measured.
pub mod load {
    tonic::include_proto!("load/nova.auth.v1");
    tonic::include_proto!("load/nova.content.v1");
    tonic::include_proto!("load/nova.feed.v1");
    tonic::include_proto!("load/nova.messaging.v1");
    tonic::include_proto!("load/nova.streaming.v1");
    tonic::include_proto!("load/nova.user.v1");
}

/// The descriptors of all protos, for reflection.
pub const DESCRIPTORS: &[u8] = tonic::include_file_descriptor_set!("nova");
