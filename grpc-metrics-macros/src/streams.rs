//! Which associated type is which method's response stream.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;

use crate::names;
use crate::projections::Projections;
use crate::service::Method;

/// The associated type that holds this method's response stream, of all that there are. tonic names it
/// after the RPC; where no name fits, it is the one that the signature mentions.
pub(crate) fn type_of<'a>(
    method: &Method,
    idents: impl IntoIterator<Item = &'a Ident>,
    all: &Projections<'a>,
) -> Option<&'a Ident> {
    let rust_name = method.sig.ident.unraw().to_string();
    let named = |ident: &&Ident| rpc_name(ident).is_some_and(|rpc| names::snake(&rpc) == rust_name);
    idents.into_iter().find(named).or_else(|| all.first_in(method.sig.output.to_token_stream()))
}

/// `GetURL` from `GetURLStream`.
pub(crate) fn rpc_name(ident: &Ident) -> Option<String> {
    ident.to_string().strip_suffix("Stream").filter(|rpc| !rpc.is_empty()).map(str::to_owned)
}

/// The attributes that decide whether an item is there.
pub(crate) fn cfgs(attrs: &[syn::Attribute]) -> Vec<&syn::Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect()
}
