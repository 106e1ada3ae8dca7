//! The client side: the RPCs that the program calls.
//!
//! With `#[instrument_grpc_client]`, every generated client is measured, without a change of the program. In `build.rs`:
//!
//! ```ignore
//! tonic_prost_build::configure()
//!     .client_mod_attribute(".", "#[::grpc_metrics_runtime::instrument_grpc_client]")
//!     .compile_protos(&["proto/greeter.proto"], &["proto"])?;
//! ```
//!
//! Clients that are generated elsewhere are measured by a layer around their channel:
//!
//! ```
//! # use grpc_metrics_runtime::tonic;
//! use grpc_metrics_runtime::client_layer;
//! use tonic::transport::Endpoint;
//! use tower_layer::Layer;
//!
//! # async fn connect() {
//! let channel = Endpoint::from_static("http://[::1]:50051").connect_lazy();
//! let channel = client_layer().layer(channel);
//! # let _ = channel;
//! // let client = GreeterClient::new(channel);
//! # }
//! ```
//!
//! A call that both measure counts once, by the attribute. Only the attribute knows the kinds of methods, and sees messages
//! that can't be decoded.
//!
//! # How a call ends
//!
//! | ending | code |
//! |---|---|
//! | a status in the headers or trailers | the status's |
//! | an HTTP error without a status | by gRPC's mapping |
//! | no status at all | 2 |
//! | no connection | 14 |
//! | a timeout of the client's own, by `grpc-timeout` or `Endpoint::timeout` | 4; tonic gives the program 1 |
//! | its caller drops it | 1, or 4 after the deadline in `grpc-timeout` |
//! | its caller drops the response stream, and the status has arrived | the status's |
//! | a message that can't be decoded, or none where one is due | with the attribute, 13 |
//!
//! What is measured is an attempt: retries in a layer around the measured client count each.
//!
//! # Who calls
//!
//! A call that a handler makes, while it or its response stream is polled, counts in `grpc_client_edge_requests_total`, too,
//! with the handler as the caller. A task that the handler spawns has no caller, unless it is given one by
//! [`Caller::scope`](crate::Caller::scope).

mod codec;
mod layer;
mod pending;
mod request;
mod response;
mod routes;
mod service;

pub use self::codec::{ClientCodec, ClientDecoder};
pub use self::layer::{ClientLayer, LayeredClient, LayeredFuture, client_layer};
pub use self::pending::ClientCall;
pub use self::response::ClientResponseBody;
pub use self::service::{ClientService, ResponseFuture};
use crate::catalog::Method;
pub use crate::rpc::Scoped;

/// Puts a generated client's channel into a service that sees the wire.
#[doc(hidden)]
#[inline]
pub fn client_service<T>(inner: T) -> ClientService<T> {
    ClientService::new(inner)
}

/// Measures the body of a generated method.
#[doc(hidden)]
#[inline]
pub fn client_call<F>(method: &'static Method, call: F) -> ClientCall<F> {
    ClientCall::new(method, call)
}

/// Notices messages of the pending call's response stream that can't be decoded.
#[doc(hidden)]
#[inline]
pub fn client_codec<C>(codec: C) -> ClientCodec<C> {
    ClientCodec::new(codec)
}
