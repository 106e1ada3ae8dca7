//! `#[instrument_grpc_client]`, in the same stages: `args` and `module` parse the input, `check` turns it into a `plan` or
//! collects all mistakes, and `expand` expands the plan. `shape` has the shapes in which tonic generates a client.

mod args;
mod check;
mod expand;
mod module;
mod plan;
mod shape;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Error;

/// Expands the attribute. The item exists even if there are mistakes, so that its users get no follow-up errors.
pub(crate) fn instrument(args: TokenStream, item: &TokenStream) -> TokenStream {
    let mut args = args::parse(args);
    let checked = match module::parse(item.clone()) {
        Ok(module) => check::check(args, module),
        Err(error) => {
            args.errors.push(error);
            Err(args.errors)
        }
    };
    match checked {
        Ok(plan) => expand::expand(plan),
        Err(errors) => {
            let errors = errors.iter().map(Error::to_compile_error);
            quote!(#(#errors)* #item)
        }
    }
}
