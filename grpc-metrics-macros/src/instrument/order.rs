//! Makes the attribute run last, whether it is above or below `#[async_trait]`.
//!
//! An attribute sees the impl as those above it have left it. After `#[async_trait]`, every method has one known form,
//! its future is not boxed twice, and it does not matter which re-export of `async_trait` was used. So if there are
//! attributes below `#[instrument_grpc]`, it moves below them.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::Attribute;
use syn::parse::Parser;

use crate::instrument::{args, split};
use crate::syntax::arguments;

/// Returns the item with the attribute below the others, if any of these may be a macro.
pub(crate) fn after_other_attributes(
    args: &TokenStream,
    item: &TokenStream,
) -> Option<TokenStream> {
    let trees: Vec<TokenTree> = item.clone().into_iter().collect();
    let (attrs, rest) = split::outer_attributes(&trees);
    let is_impl = matches!(rest.first(), Some(TokenTree::Ident(ident)) if ident == "impl");
    let parsed = Attribute::parse_outer.parse2(attrs.iter().cloned().collect()).ok()?;
    if !is_impl || parsed.iter().all(is_inert) {
        return None;
    }
    let parsed = args::parse(args.clone());
    if !parsed.errors.is_empty() {
        // Report the mistakes now. One of them may be the path of the runtime, which the moved attribute needs.
        return None;
    }
    let runtime = arguments::runtime(parsed.runtime);
    let last =
        quote_spanned!(Span::call_site()=> #[#runtime::__private::instrument_grpc_last(#args)]);
    Some(quote_spanned!(Span::call_site()=> #(#attrs)* #last #(#rest)*))
}

/// Whether the attribute is built into the compiler, so that it neither changes nor inspects the code.
///
/// The list has the built-in attributes of impls and methods. A missing one costs a move or a second future, and has
/// the same result.
pub(crate) fn is_inert(attr: &Attribute) -> bool {
    const BUILT_IN: [&str; 10] = [
        "allow",
        "cfg",
        "deny",
        "deprecated",
        "doc",
        "expect",
        "forbid",
        "inline",
        "must_use",
        "warn",
    ];
    attr.path().get_ident().is_some_and(|ident| BUILT_IN.iter().any(|name| ident == name))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn the_compilers_own_attributes() {
        let inert: [Attribute; 10] = [
            parse_quote!(#[allow(clippy::all)]),
            parse_quote!(#[cfg(test)]),
            parse_quote!(#[deny(warnings)]),
            parse_quote!(#[deprecated]),
            parse_quote!(#[doc = "text"]),
            parse_quote!(#[expect(unused)]),
            parse_quote!(#[forbid(unused)]),
            parse_quote!(#[inline]),
            parse_quote!(#[must_use]),
            parse_quote!(#[warn(unused)]),
        ];
        assert!(inert.iter().all(is_inert));
        let others: [Attribute; 4] = [
            parse_quote!(#[tonic::async_trait]),
            parse_quote!(#[cfg_attr(all(), async_trait)]),
            parse_quote!(#[our::allow]),
            parse_quote!(#[instrument]),
        ];
        assert!(!others.iter().any(is_inert));
    }
}
