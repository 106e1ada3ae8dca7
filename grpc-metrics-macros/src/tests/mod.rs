//! What the attribute makes of its input, called as a function.

mod broken_input;
mod expansions;
mod like_async_trait;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Item};

/// An item under `#[instrument_grpc]`, as the attribute gets it.
struct Case {
    args: TokenStream,
    item: TokenStream,
}

impl Case {
    /// Takes the attribute off, and off with it those above that have run before.
    fn of(mut item: Item) -> Option<Self> {
        let Item::Impl(impl_) = &mut item else {
            return Self::without_impl(item);
        };
        let own = impl_.attrs.iter().position(is_own)?;
        let mut before: Vec<Attribute> = impl_.attrs.drain(..=own).collect();
        let args = args_of(&before.pop()?);
        if before.iter().any(is_async_trait) {
            like_async_trait::expand(impl_);
        }
        Some(Self { args, item: item.into_token_stream() })
    }

    fn without_impl(item: Item) -> Option<Self> {
        let mut tokens = item.into_token_stream().into_iter();
        let own = tokens.by_ref().nth(1)?;
        let own: Attribute = syn::parse_quote!(# #own);
        is_own(&own).then(|| Self { args: args_of(&own), item: tokens.collect() })
    }

    /// The expansion, with all its stages.
    fn expand(&self) -> TokenStream {
        let Self { args, item } = self;
        crate::order::after_other_attributes(args, item)
            .unwrap_or_else(|| crate::instrument(args.clone(), item.clone()))
    }
}

fn args_of(attr: &Attribute) -> TokenStream {
    attr.meta.require_list().map_or_else(|_| quote!(), |list| list.tokens.clone())
}

fn is_own(attr: &Attribute) -> bool {
    attr.path().segments.last().is_some_and(|last| last.ident == "instrument_grpc")
}

fn is_async_trait(attr: &Attribute) -> bool {
    attr.path().segments.last().is_some_and(|last| last.ident == "async_trait")
}
