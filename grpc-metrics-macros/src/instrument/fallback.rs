//! Expands input with mistakes: the errors, and the user's item without our attributes.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::parse::Parser;
use syn::{Attribute, Error};

use crate::instrument::service;

/// Emits the errors and the item. Without the item, its callers would get follow-up errors.
pub(crate) fn expand(item: TokenStream, errors: &[Error]) -> TokenStream {
    let errors = errors.iter().map(Error::to_compile_error);
    let item = without_helpers(item, true);
    quote!(#(#errors)* #item)
}

/// The error for a helper attribute outside an instrumented impl, which would have removed it.
pub(crate) fn misplaced(name: &str, item: &TokenStream) -> TokenStream {
    let message = format!(
        "`#[{name}]` is only allowed on a method of an impl under `#[instrument_grpc]`: put `#[instrument_grpc]` above the \
         impl, or remove `#[{name}]`"
    );
    let error = Error::new(proc_macro2::Span::call_site(), message).to_compile_error();
    quote!(#error #item)
}

/// Removes `#[skip_metrics]` and `#[rpc]` from the impl's methods, and a second `#[instrument_grpc]` from the impl. The
/// item may not parse, so this works on tokens.
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

/// Whether it is `[skip_metrics]`, `[rpc(…)]`, or a `[cfg_attr(…)]` with one of them. Above the impl, whether it is the
/// attribute itself.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The item, without errors.
    fn kept(item: TokenStream) -> String {
        expand(item, &[]).to_string()
    }

    #[test]
    fn helpers_go_from_methods_only() {
        let item = quote! {
            #[rpc(name = "above")]
            impl Greeter for MyGreeter {
                #[skip_metrics] #[inline] fn one() { #[skip_metrics] fn inner() {} }
                #[kit::rpc(name = "Two")] #[cfg_attr(a, rpc)] fn two([#[rpc] a]: B) {}
                #[cfg_attr(a, rpc::other)] fn three() {}
            }
        };
        let left = quote! {
            #[rpc(name = "above")]
            impl Greeter for MyGreeter {
                #[inline] fn one() { #[skip_metrics] fn inner() {} }
                fn two([#[rpc] a]: B) {}
                #[cfg_attr(a, rpc::other)] fn three() {}
            }
        };
        assert_eq!(kept(item), left.to_string());
    }

    #[test]
    fn a_second_attribute_goes_from_the_impl_only() {
        let item = quote! {
            #[doc = "a"]
            #[::kit::instrument_grpc_last(service = "a")]
            impl Greeter for MyGreeter { #[instrument_grpc_last] fn one() {} }
        };
        let left = quote! {
            #[doc = "a"]
            impl Greeter for MyGreeter { #[instrument_grpc_last] fn one() {} }
        };
        assert_eq!(kept(item), left.to_string());
    }

    #[test]
    fn helpers_go_from_inside_invisible_groups() {
        let invisible = |tokens| TokenTree::from(Group::new(Delimiter::None, tokens));
        let method = invisible(quote!(
            #[skip_metrics]
            fn one() {}
        ));
        let item = invisible(quote!(impl Greeter for MyGreeter { #method }));
        let left = invisible(quote!(
            fn one() {}
        ));
        let left = invisible(quote!(impl Greeter for MyGreeter { #left }));
        assert_eq!(kept(item.into()), left.to_string());
    }

    #[test]
    fn what_is_half_typed_stays() {
        for item in ["impl A for B { # fn one () { } }", "impl A for B { # [] # }", "# [=] impl A"]
        {
            assert_eq!(kept(item.parse().expect("tokens")), item);
        }
    }
}
