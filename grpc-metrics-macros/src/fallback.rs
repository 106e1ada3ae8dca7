//! What comes out when the input is wrong: the errors, and the user's item as if nothing stood above it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::parse::Parser;
use syn::{Attribute, Error};

use crate::service;

/// The item, so that its callers see no second error, beside the first ones.
pub(crate) fn expand(item: TokenStream, errors: &[Error]) -> TokenStream {
    let errors = errors.iter().map(Error::to_compile_error);
    let item = without_helpers(item, true);
    quote!(#(#errors)* #item)
}

/// A helper attribute that no `#[instrument_grpc]` has taken off.
pub(crate) fn misplaced(name: &str, item: &TokenStream) -> TokenStream {
    let message = format!(
        "#[{name}] stands on a method of an impl under #[instrument_grpc]; put that above the impl, or remove this"
    );
    let error = Error::new(proc_macro2::Span::call_site(), message).to_compile_error();
    quote!(#error #item)
}

/// Takes `#[skip_metrics]` and `#[rpc]` off the methods of the impl, and this attribute off the impl where it
/// is given twice; the item itself is not parsed.
fn without_helpers(item: TokenStream, outside: bool) -> TokenStream {
    let mut trees = item.into_iter().peekable();
    let mut kept = TokenStream::new();
    while let Some(tree) = trees.next() {
        match (&tree, trees.peek()) {
            (TokenTree::Punct(punct), Some(TokenTree::Group(group)))
                if punct.as_char() == '#' && is_own(group, outside) =>
            {
                trees.next();
            }
            (TokenTree::Group(group), _)
                if group.delimiter() == Delimiter::None
                    || (outside && group.delimiter() == Delimiter::Brace) =>
            {
                let inside = without_helpers(
                    group.stream(),
                    outside && group.delimiter() == Delimiter::None,
                );
                let mut new = Group::new(group.delimiter(), inside);
                new.set_span(group.span());
                kept.extend([TokenTree::from(new)]);
            }
            _ => kept.extend([tree]),
        }
    }
    kept
}

/// Whether it is `[skip_metrics]`, `[rpc(…)]`, or a `[cfg_attr(…)]` with one of them; above the impl, whether
/// it is the attribute itself.
fn is_own(group: &Group, outside: bool) -> bool {
    let attr = Attribute::parse_outer.parse2(quote!(# #group)).ok();
    attr.into_iter().flatten().any(|attr| match attr.path().segments.last() {
        Some(last) if outside => last.ident == service::LAST,
        Some(last) => {
            service::HELPERS.iter().any(|helper| last.ident == helper)
                || service::hides_helper(&attr)
        }
        None => false,
    })
}
