//! `#[derive(GrpcStatus)]`, in the same stages as the attribute: parse, check, expand.

mod check;
mod expand;
mod parse;
mod plan;

use proc_macro2::TokenStream;
use quote::quote;

/// Generates the impls of an error type. They exist even if there are mistakes, so that users of the type get no
/// follow-up errors.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let written = match parse::parse(item) {
        Ok(written) => written,
        Err(error) => return error.into_compile_error(),
    };
    let (plan, errors) = check::check(written);
    let errors = errors.iter().map(syn::Error::to_compile_error);
    let impls = expand::expand(&plan);
    quote!(#(#errors)* #impls)
}
