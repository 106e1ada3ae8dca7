//! What the attribute makes of its input, called as a function.

mod broken_input;
mod expansions;
mod like_async_trait;
mod messages;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Item};

/// An item under `#[instrument_grpc]`, as the attribute gets it.
#[derive(Clone)]
struct Case {
    args: TokenStream,
    item: TokenStream,
    /// Whether it is the attribute that has moved itself to the end.
    last: bool,
}

impl Case {
    /// Takes the attribute off, and off with it those above that have run before.
    fn of(mut item: Item) -> Option<Self> {
        let Item::Impl(impl_) = &mut item else {
            return Self::without_impl(item);
        };
        let own = impl_.attrs.iter().position(is_own)?;
        let mut before: Vec<Attribute> = impl_.attrs.drain(..=own).collect();
        let own = before.pop()?;
        if before.iter().any(is_async_trait) {
            like_async_trait::expand(impl_);
        }
        Some(Self::new(&own, item.into_token_stream()))
    }

    fn without_impl(item: Item) -> Option<Self> {
        let split = |input: ParseStream| {
            let attrs = input.call(Attribute::parse_outer)?;
            Ok((attrs, input.parse::<TokenStream>()?))
        };
        let (attrs, rest) = split.parse2(item.into_token_stream()).ok()?;
        let (own, below) = attrs.split_first()?;
        is_own(own).then(|| Self::new(own, quote!(#(#below)* #rest)))
    }

    fn new(own: &Attribute, item: TokenStream) -> Self {
        let args = own.meta.require_list().map_or_else(|_| quote!(), |list| list.tokens.clone());
        let last = own.path().segments.last().is_some_and(|last| last.ident != "instrument_grpc");
        Self { args, item, last }
    }

    /// What the attribute gives; where others stand below it, that is not the end yet.
    fn expand(&self) -> TokenStream {
        let Self { args, item, last } = self;
        let moved = (!last).then(|| crate::order::after_other_attributes(args, item)).flatten();
        moved.unwrap_or_else(|| crate::instrument(args.clone(), item.clone()))
    }
}

fn is_own(attr: &Attribute) -> bool {
    attr.path()
        .segments
        .last()
        .is_some_and(|last| last.ident.to_string().starts_with("instrument_grpc"))
}

fn is_async_trait(attr: &Attribute) -> bool {
    attr.path().segments.last().is_some_and(|last| last.ident == "async_trait")
}
