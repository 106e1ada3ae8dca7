//! Which associated type is which method's response stream.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token, parse_quote};

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
    let named = |ident: &&Ident| is_named_after(ident, method);
    idents.into_iter().find(named).or_else(|| all.first_in(method.sig.output.to_token_stream()))
}

/// Whether the type is called as tonic calls this method's.
pub(crate) fn is_named_after(ident: &Ident, method: &Method) -> bool {
    let rust_name = method.sig.ident.unraw().to_string();
    rpc_name(ident).is_some_and(|rpc| names::snake(&rpc) == rust_name)
}

/// `GetURL` from `GetURLStream`.
pub(crate) fn rpc_name(ident: &Ident) -> Option<String> {
    ident.to_string().strip_suffix("Stream").map(str::to_owned)
}

/// The attributes that decide whether an item is there; of a `cfg_attr`, the part that does.
pub(crate) fn cfgs(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter_map(deciding).collect()
}

fn deciding(attr: &Attribute) -> Option<Attribute> {
    if attr.path().is_ident("cfg") {
        return Some(attr.clone());
    }
    if !attr.path().is_ident("cfg_attr") {
        return None;
    }
    let parts = Punctuated::<Meta, Token![,]>::parse_terminated;
    let parts = attr.parse_args_with(parts).ok()?;
    let mut parts = parts.iter();
    let predicate = parts.next()?;
    let cfgs: Vec<_> = parts.filter(|part| part.path().is_ident("cfg")).collect();
    (!cfgs.is_empty()).then(|| parse_quote!(#[cfg_attr(#predicate, #(#cfgs),*)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_whether_an_item_is_there() {
        let attrs: [Attribute; 6] = [
            parse_quote!(#[cfg(a)]),
            parse_quote!(#[cfg_attr(a, inline, cfg(b), must_use, cfg(c))]),
            parse_quote!(#[cfg_attr(cfg, inline)]),
            parse_quote!(#[cfg_attr(a = )]),
            parse_quote!(#[traced(a, cfg(b))]),
            parse_quote!(#[inline]),
        ];
        let typed = |attr: &Attribute| attr.to_token_stream().to_string().replace(' ', "");
        let deciding: Vec<String> = cfgs(&attrs).iter().map(typed).collect();
        assert_eq!(deciding, ["#[cfg(a)]", "#[cfg_attr(a,cfg(b),cfg(c))]"]);
    }
}
