//! `#[derive(GrpcStatus)]`: parse, check, expand, as the attribute.

mod check;
mod expand;
mod parse;
mod plan;

use proc_macro2::TokenStream;
use quote::quote;

/// The impls that give an error type its statuses. With mistakes they are there too, for the sake of
/// those who use them, and can't be called.
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
