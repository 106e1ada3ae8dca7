//! The `#[instrument_grpc]` attribute, its helpers, and `#[derive(GrpcStatus)]`. Use them through `grpc-metrics-runtime`, which
//! re-exports and documents them.
//!
//! Each of the two has a room, `instrument` and `derive`, and goes through three stages there with a checked type
//! between them: what is written is parsed, then checked, with every mistake found, into a `plan`, and the plan is
//! written out. `syntax` holds what both read and write with. Neither knows the other.

#![forbid(unsafe_code)]

mod derive;
mod instrument;
mod syntax;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Measures every RPC of a tonic service: requests by status code, duration, in flight.
#[proc_macro_attribute]
pub fn instrument_grpc(args: TokenStream, item: TokenStream) -> TokenStream {
    let (args, item) = (args.into(), item.into());
    instrument::below_other_attributes(args, item).into()
}

/// What `#[instrument_grpc]` puts below the other attributes of the impl, so as to run after them.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn instrument_grpc_last(args: TokenStream, item: TokenStream) -> TokenStream {
    instrument::instrument(args.into(), item.into()).into()
}

/// What `#[instrument_grpc]` puts below the other attributes of a method, so as to run after them.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn carry_rpc(args: TokenStream, item: TokenStream) -> TokenStream {
    instrument::carry_later(args.into(), &item.into()).into()
}

/// Gives an error type its gRPC statuses.
#[proc_macro_derive(GrpcStatus, attributes(status))]
pub fn derive_grpc_status(item: TokenStream) -> TokenStream {
    derive::derive(item.into()).into()
}

/// Takes a method out of the metrics, in an impl under `#[instrument_grpc]`.
#[proc_macro_attribute]
pub fn skip_metrics(_args: TokenStream, item: TokenStream) -> TokenStream {
    instrument::misplaced("skip_metrics", &item.into()).into()
}

/// Names a method's RPC, in an impl under `#[instrument_grpc]`: `#[rpc(name = "GetKV")]`.
#[proc_macro_attribute]
pub fn rpc(_args: TokenStream, item: TokenStream) -> TokenStream {
    instrument::misplaced("rpc", &item.into()).into()
}
