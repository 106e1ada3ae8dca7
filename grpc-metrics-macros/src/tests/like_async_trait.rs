//! Imitates `#[async_trait]` as far as it matters here, since a macro can't call another one.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{FnArg, ImplItem, ImplItemFn, ItemImpl, Pat, ReturnType, parse_quote};

/// Rewrites all `async fn`s.
pub(super) fn expand(impl_: &mut ItemImpl) {
    for item in &mut impl_.items {
        if let ImplItem::Fn(method) = item
            && method.sig.asyncness.take().is_some()
        {
            expand_method(method);
        }
    }
}

fn expand_method(method: &mut ImplItemFn) {
    let output = match &method.sig.output {
        ReturnType::Type(_, ty) => ty.to_token_stream(),
        ReturnType::Default => quote!(()),
    };
    let mut lets = TokenStream::new();
    for (i, argument) in method.sig.inputs.iter_mut().enumerate() {
        match argument {
            FnArg::Receiver(receiver) => {
                if receiver.to_token_stream().to_string() == "& self" {
                    *argument = parse_quote!(&'life0 self);
                }
            }
            FnArg::Typed(argument) => {
                if let Pat::Ident(pat) = &mut *argument.pat {
                    let (mutability, ident) = (pat.mutability.take(), &pat.ident);
                    lets.extend(quote!(let #mutability #ident = #ident;));
                } else {
                    let ident = format_ident!("__arg{i}");
                    *argument.pat = parse_quote!(#ident);
                    lets.extend(quote!(let #ident = #ident;));
                }
            }
        }
    }
    // The real one renames `self` in the body, which makes no difference here.
    let body = &method.block;
    method.sig.generics = parse_quote!(<'life0, 'async_trait>);
    method.sig.generics.where_clause =
        Some(parse_quote!(where 'life0: 'async_trait, Self: 'async_trait));
    method.sig.output = parse_quote! {
        -> ::core::pin::Pin<Box<
            dyn ::core::future::Future<Output = #output> + ::core::marker::Send + 'async_trait
        >>
    };
    method.block = parse_quote!({
        Box::pin(async move {
            if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<#output> {
                #[allow(unreachable_code)]
                return __ret;
            }
            #lets
            let __ret: #output = #body;
            #[allow(unreachable_code)]
            __ret
        })
    });
    method.attrs.push(parse_quote!(#[allow(clippy::type_complexity)]));
}
