//! Finds the associated types of the methods' response streams.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, ImplItemType, ItemImpl, Meta, Path, Token, Type, parse_quote};

use crate::instrument::projections::Projections;
use crate::instrument::service::Method;
use crate::syntax::names::{self, Style};
use crate::syntax::tokens;

/// The associated types of an impl, indexed by method.
pub(crate) struct Types<'a> {
    all: Projections<'a>,
    /// Keyed by the Rust name of the RPC, after which tonic names the type.
    by_method: HashMap<String, &'a Ident>,
    /// The types that a constant can name.
    free: HashSet<&'a Ident>,
}

impl<'a> Types<'a> {
    pub(crate) fn new(
        types: impl Iterator<Item = &'a ImplItemType> + Clone,
        head: &ItemImpl,
        trait_: &Path,
    ) -> Self {
        let (mut by_method, mut free, mut bound) = (HashMap::new(), HashSet::new(), HashSet::new());
        for ImplItemType { ident, ty, .. } in types.clone() {
            if let Some(rpc) = rpc_name(ident) {
                by_method.entry(names::snake(&rpc)).or_insert(ident);
            }
            let is_free = !is_bound(&ty.to_token_stream(), head);
            if is_free { &mut free } else { &mut bound }.insert(ident);
        }
        // A type written twice, under different `#[cfg]`s, is free if both are.
        free.retain(|ident| !bound.contains(ident));
        let all = types.map(|item| &item.ident).collect();
        Self { all: Projections::new(all, head, trait_), by_method, free }
    }

    /// Whether a constant can inspect the type.
    pub(crate) fn is_free(&self, ident: &Ident) -> bool {
        self.free.contains(ident)
    }

    /// Returns the type of the method's response stream: the one that tonic names after the RPC, else the one that the
    /// signature mentions.
    pub(crate) fn of(&self, method: &Method) -> Option<&'a Ident> {
        let named = self.named_after(method);
        named.or_else(|| self.all.first_in(method.sig.output.to_token_stream()))
    }

    /// Returns the type that has the name that tonic gives to this method's.
    pub(crate) fn named_after(&self, method: &Method) -> Option<&'a Ident> {
        self.by_method.get(&rust_name(method)).copied()
    }

    /// Returns the case of the RPC names, as shown by the stream types of these methods.
    pub(crate) fn style<'m>(&self, methods: impl Iterator<Item = &'m Method>) -> Style {
        let types = methods.filter_map(|method| self.named_after(method));
        Style::of(types.filter_map(rpc_name))
    }
}

/// Whether no constant can name the type. It may have a parameter of the impl, a `Self` with parameters, or a macro
/// call that may expand to these. Or it is an `impl Stream`, on compilers that allow it there.
fn is_bound(ty: &TokenStream, head: &ItemImpl) -> bool {
    let parameters: Vec<String> =
        head.generics.params.iter().map(|of| tokens::parameter_name(of).to_string()).collect();
    let is_own = |ident: &str| ident == "Self" || parameters.iter().any(|own| own == ident);
    let may_be_own = || tokens::mention(ty.clone(), &is_own) || tokens::has_punct(ty.clone(), '!');
    tokens::mention(ty.clone(), &|ident| ident == "impl")
        || (!parameters.is_empty() || elides_lifetime(&head.self_ty)) && may_be_own()
}

/// Whether the type has an elided lifetime: `'_`, or `&` without a name.
fn elides_lifetime(ty: &Type) -> bool {
    let ty = ty.to_token_stream();
    tokens::mention(ty.clone(), &|ident| ident == "_") || tokens::has_punct(ty, '&')
}

/// Returns the method's name without `r#`.
pub(crate) fn rust_name(method: &Method) -> String {
    method.sig.ident.unraw().to_string()
}

/// Returns `GetURL` for `GetURLStream`.
pub(crate) fn rpc_name(ident: &Ident) -> Option<String> {
    ident.to_string().strip_suffix("Stream").map(str::to_owned)
}

/// Returns the attributes that can remove an item: `cfg`s, and those in a `cfg_attr`.
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
    fn which_types_a_constant_can_name() {
        let concrete: [ItemImpl; 2] =
            [parse_quote!(impl Greeter for My {}), parse_quote!(impl Greeter<'_, T> for My<u8> {})];
        let generic: [ItemImpl; 1] = [parse_quote!(
            impl<'a, T, const N: usize> Greeter for My<'a, T, N> {}
        )];
        let elided: [ItemImpl; 2] =
            [parse_quote!(impl Greeter for My<'_> {}), parse_quote!(impl Greeter for &My {})];
        let all = |impls: &[ItemImpl], ty: &str| {
            let ty: TokenStream = ty.parse().expect("tokens");
            let bound: Vec<bool> = impls.iter().map(|head| is_bound(&ty, head)).collect();
            bound.iter().all(|is_bound| *is_bound == bound[0]).then_some(bound[0])
        };
        for (ty, in_concrete, in_elided, in_generic) in [
            ("Boxed<Answer>", false, false, false),
            ("Boxed<Self>", false, true, true),
            // The expansion of a macro is unknown.
            ("boxed!()", false, true, true),
            ("Boxed<(boxed![],)>", false, true, true),
            ("impl Stream", true, true, true),
            ("Pin<Box<(impl Stream)>>", true, true, true),
        ] {
            assert_eq!(all(&concrete, ty), Some(in_concrete), "{ty}");
            assert_eq!(all(&elided, ty), Some(in_elided), "{ty}");
            assert_eq!(all(&generic, ty), Some(in_generic), "{ty}");
        }
        for ty in ["Pin<Box<dyn Stream + 'a>>", "Boxed<(u8, [T; 1])>", "Grid<{ N }>"] {
            assert_eq!(all(&concrete, ty), Some(false), "{ty}");
            assert_eq!(all(&generic, ty), Some(true), "{ty}");
        }
    }

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
