//! `#[instrument_grpc]`, and the attributes that it adds below others. `service` and `args` parse the input, `check`
//! turns it into a `plan` or collects all mistakes, and `expand` expands the plan. If there are mistakes, `fallback`
//! emits the user's item beside the errors.

mod args;
mod body;
mod check;
mod expand;
mod fallback;
mod later;
mod method;
pub(crate) mod order;
mod plan;
mod projections;
mod returned;
mod rpc_args;
mod service;
mod slo;
mod split;
mod streams;

use proc_macro2::TokenStream;

pub(crate) use fallback::misplaced;
pub(crate) use later::expand as instrument_method;

/// Expands the attribute, or moves it below the impl's other attributes.
pub(crate) fn below_other_attributes(args: TokenStream, item: TokenStream) -> TokenStream {
    order::after_other_attributes(&args, &item).unwrap_or_else(|| instrument(args, item))
}

/// Expands the attribute, which is the impl's last one.
pub(crate) fn instrument(args: TokenStream, item: TokenStream) -> TokenStream {
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
