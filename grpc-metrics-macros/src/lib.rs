//! The `#[instrument_grpc]` attribute with its helper attributes, `#[instrument_grpc_client]`, and
//! `#[derive(GrpcStatus)]`. Use them through `grpc-metrics-runtime`, which re-exports and documents them.
//!
//! `instrument`, `client` and `derive` work in three stages: parse the input, check it and collect all mistakes, and
//! expand the resulting plan. All use `syntax`, and none uses another.

#![forbid(unsafe_code)]

mod client;
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

/// Instruments an impl. `#[instrument_grpc]` adds it below the impl's other attributes, so that it runs last.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn instrument_grpc_last(args: TokenStream, item: TokenStream) -> TokenStream {
    instrument::instrument(args.into(), item.into()).into()
}

/// Instruments a method. `#[instrument_grpc]` adds it below the method's other attributes, so that it runs last.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn instrument_method_last(args: TokenStream, item: TokenStream) -> TokenStream {
    instrument::instrument_method(args.into(), &item.into()).into()
}

/// Measures every RPC of a client that tonic generates.
#[proc_macro_attribute]
pub fn instrument_grpc_client(args: TokenStream, item: TokenStream) -> TokenStream {
    client::instrument(args.into(), &item.into()).into()
}

/// Maps an error type to gRPC statuses.
#[proc_macro_derive(GrpcStatus, attributes(status))]
pub fn derive_grpc_status(item: TokenStream) -> TokenStream {
    derive::derive(item.into()).into()
}

/// Excludes a method from the metrics, in an impl under `#[instrument_grpc]`.
#[proc_macro_attribute]
pub fn skip_metrics(_args: TokenStream, item: TokenStream) -> TokenStream {
    instrument::misplaced("skip_metrics", &item.into()).into()
}

/// Sets the name, objectives or span of a method's RPC, in an impl under `#[instrument_grpc]`: `#[rpc(name =
/// "GetKV")]`.
#[proc_macro_attribute]
pub fn rpc(_args: TokenStream, item: TokenStream) -> TokenStream {
    instrument::misplaced("rpc", &item.into()).into()
}
