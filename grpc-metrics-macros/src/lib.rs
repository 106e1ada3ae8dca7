//! The `#[instrument_grpc]` attribute, its helpers, and `#[derive(GrpcStatus)]`. Use them through `grpc-metrics-runtime`, which
//! re-exports and documents them.
//!
//! An impl goes through three stages, each with a type of its own: `service` and `args` hold what is
//! written, `check` collects every mistake or else gives a `plan`, and `expand` writes the plan
//! out. On a mistake, `fallback` gives back what the user wrote beside the errors. The derive goes the
//! same way in `status`.

#![forbid(unsafe_code)]

mod args;
mod arguments;
mod carry;
mod check;
mod expand;
mod fallback;
mod later;
mod method;
mod names;
mod order;
mod plan;
mod projections;
mod returned;
mod rpc_args;
mod service;
mod slo;
mod status;
mod streams;
#[cfg(test)]
mod tests;
mod tokens;

use proc_macro::TokenStream;

/// Measures every RPC of a tonic service: requests by status code, duration, in flight.
#[proc_macro_attribute]
pub fn instrument_grpc(args: TokenStream, item: TokenStream) -> TokenStream {
    let (args, item) = (args.into(), item.into());
    order::after_other_attributes(&args, &item).unwrap_or_else(|| instrument(args, item)).into()
}

/// What `#[instrument_grpc]` puts below the other attributes of the impl, so as to run after them.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn instrument_grpc_last(args: TokenStream, item: TokenStream) -> TokenStream {
    instrument(args.into(), item.into()).into()
}

/// What `#[instrument_grpc]` puts below the other attributes of a method, so as to run after them.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn carry_rpc(args: TokenStream, item: TokenStream) -> TokenStream {
    later::expand(args.into(), &item.into()).into()
}

fn instrument(
    args: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> proc_macro2::TokenStream {
    let mut args = args::parse(args);
    let checked = match service::parse(item.clone()) {
        Ok(service) => check::check(args, service),
        Err(error) => {
            args.errors.push(error);
            Err(args.errors)
        }
    };
    match checked {
        Ok(plan) => expand::expand(&plan),
        Err(errors) => fallback::expand(item, &errors),
    }
}

/// Gives an error type its gRPC statuses.
#[proc_macro_derive(GrpcStatus, attributes(status))]
pub fn derive_grpc_status(item: TokenStream) -> TokenStream {
    status::derive(item.into()).into()
}

/// Takes a method out of the metrics, in an impl under `#[instrument_grpc]`.
#[proc_macro_attribute]
pub fn skip_metrics(_args: TokenStream, item: TokenStream) -> TokenStream {
    fallback::misplaced("skip_metrics", &item.into()).into()
}

/// Names a method's RPC, in an impl under `#[instrument_grpc]`: `#[rpc(name = "GetKV")]`.
#[proc_macro_attribute]
pub fn rpc(_args: TokenStream, item: TokenStream) -> TokenStream {
    fallback::misplaced("rpc", &item.into()).into()
}
