//! Which associated type is which method's response stream.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ImplItemType;
use syn::ext::IdentExt;

use crate::names;
use crate::service::Method;
use crate::tokens::Declared;

/// The associated types of an impl, with what they are declared to be.
pub(crate) struct Types<'a>(Vec<&'a ImplItemType>);

impl<'a> Types<'a> {
    pub(crate) fn new(types: impl Iterator<Item = &'a ImplItemType>) -> Self {
        Self(types.collect())
    }

    /// The associated type that holds this method's response stream. tonic names it after the RPC; where
    /// no name fits, it is the one that the signature mentions.
    pub(crate) fn of_method(&self, method: &Method) -> Option<&'a Ident> {
        let rust_name = method.sig.ident.unraw().to_string();
        let mut idents = self.0.iter().map(|item| &item.ident);
        let named =
            |ident: &&Ident| rpc_name(ident).is_some_and(|rpc| names::snake(&rpc) == rust_name);
        idents.clone().find(named).or_else(|| {
            let all = Declared(
                idents
                    .clone()
                    .map(|ident| (ident.to_string(), TokenStream::new()))
                    .collect(),
            );
            let output = method.sig.output.to_token_stream();
            let mentioned = all.projected_in(output)?;
            idents.find(|ident| *ident == mentioned)
        })
    }

    /// What these types are declared to be, with references from one to another written out.
    pub(crate) fn declared(&self, idents: &[&Ident]) -> Declared {
        let chosen = self.0.iter().filter(|item| idents.contains(&&item.ident));
        let mut declared = Declared::default();
        for item in chosen {
            let name = item.ident.to_string();
            let several = self
                .0
                .iter()
                .filter(|other| other.ident == item.ident)
                .count()
                > 1;
            let ty = if several {
                alias(&item.ident).to_token_stream()
            } else {
                item.ty.to_token_stream()
            };
            if !declared.0.iter().any(|(known, _)| *known == name) {
                declared.0.push((name, ty));
            }
        }
        // Each round follows one reference more; a circle stays, for the compiler to report.
        for _ in 0..declared.0.len() {
            let written = declared
                .0
                .iter()
                .map(|(name, ty)| (name.clone(), declared.write_out(ty.clone())));
            declared = Declared(written.collect());
        }
        declared
    }

    /// Aliases for the types that are declared more than once, each under its own `#[cfg]`: only the
    /// compiler knows which declaration is the one.
    pub(crate) fn aliases(&self, idents: &[&Ident]) -> TokenStream {
        let several = |item: &&&ImplItemType| {
            self.0
                .iter()
                .filter(|other| other.ident == item.ident)
                .count()
                > 1
        };
        let items = self
            .0
            .iter()
            .filter(|item| idents.contains(&&item.ident))
            .filter(several);
        let aliases = items.map(|item| {
            let (cfgs, alias, ty) = (cfgs(&item.attrs), alias(&item.ident), &item.ty);
            quote!(#(#cfgs)* type #alias = #ty;)
        });
        aliases.collect()
    }
}

/// `GetURL` from `GetURLStream`.
pub(crate) fn rpc_name(ident: &Ident) -> Option<String> {
    ident
        .to_string()
        .strip_suffix("Stream")
        .filter(|rpc| !rpc.is_empty())
        .map(str::to_owned)
}

/// The attributes that decide whether an item is there.
pub(crate) fn cfgs(attrs: &[syn::Attribute]) -> Vec<&syn::Attribute> {
    attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
        .collect()
}

fn alias(ident: &Ident) -> Ident {
    quote::format_ident!("__{}", ident, span = proc_macro2::Span::mixed_site())
}
