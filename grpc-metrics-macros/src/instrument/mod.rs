//! `#[instrument_grpc]`, and what it puts below other attributes: `service` and `args` hold what is written,
//! `check` collects every mistake or else gives a `plan`, and `expand` writes the plan out. On a mistake, `fallback`
//! gives back what the user wrote beside the errors.

mod args;
mod carry;
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
mod streams;

use proc_macro2::TokenStream;

pub(crate) use fallback::misplaced;
pub(crate) use later::expand as carry_later;

/// The attribute, once those below it have run.
pub(crate) fn below_other_attributes(args: TokenStream, item: TokenStream) -> TokenStream {
    order::after_other_attributes(&args, &item).unwrap_or_else(|| instrument(args, item))
}

/// The attribute, as the last one of the impl.
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
