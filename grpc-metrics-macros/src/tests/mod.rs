//! Tests that call the attributes and the derive as functions.

mod broken_input;
mod clients;
mod derives;
mod expansions;
mod large;
mod like_async_trait;
mod messages;
mod names_and_kinds;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Item, ItemEnum, ItemStruct, ItemUnion};

/// The input of one of our macros.
#[derive(Clone)]
struct Case {
    args: TokenStream,
    item: TokenStream,
    by: By,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Attribute,
    /// After it has moved itself to the end.
    LastAttribute,
    ClientAttribute,
    Derive,
}

impl Case {
    /// Removes the attribute and those above it, which have run before.
    fn of(mut item: Item) -> Option<Self> {
        if derives(&item) {
            return Some(Self { args: quote!(), item: item.into_token_stream(), by: By::Derive });
        }
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
        // The compiler's own attributes, such as comments, may be above.
        let own = attrs.iter().position(is_own)?;
        let (above, below) = (&attrs[..own], &attrs[own + 1..]);
        Some(Self::new(&attrs[own], quote!(#(#above)* #(#below)* #rest)))
    }

    fn new(own: &Attribute, item: TokenStream) -> Self {
        let args = own.meta.require_list().map_or_else(|_| quote!(), |list| list.tokens.clone());
        let name = own.path().segments.last().map(|last| last.ident.to_string());
        let by = match name.as_deref() {
            Some("instrument_grpc") => By::Attribute,
            Some("instrument_grpc_client") => By::ClientAttribute,
            _ => By::LastAttribute,
        };
        Self { args, item, by }
    }

    /// Expands the macro once. If it moves below other attributes, the result has to be expanded again.
    fn expand(&self) -> TokenStream {
        let Self { args, item, by } = self;
        let moved = match by {
            By::Attribute => crate::instrument::order::after_other_attributes(args, item),
            By::LastAttribute => None,
            By::ClientAttribute => return crate::client::instrument(args.clone(), item),
            By::Derive => return crate::derive::derive(item.clone()),
        };
        moved.unwrap_or_else(|| crate::instrument::instrument(args.clone(), item.clone()))
    }
}

fn derives(item: &Item) -> bool {
    let (Item::Enum(ItemEnum { attrs, .. })
    | Item::Struct(ItemStruct { attrs, .. })
    | Item::Union(ItemUnion { attrs, .. })) = item
    else {
        return false;
    };
    let ours = |attr: &Attribute| attr.to_token_stream().to_string().contains("GrpcStatus");
    attrs.iter().any(|attr| attr.path().is_ident("derive") && ours(attr))
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
