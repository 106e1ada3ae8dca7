//! Which associated type is which method's response stream.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, ImplItemType, ItemImpl, Meta, Path, Token, parse_quote};

use crate::instrument::projections::Projections;
use crate::instrument::service::Method;
use crate::syntax::names::{self, Style};
use crate::syntax::tokens;

/// The associated types of an impl, to be found by the methods whose streams they are.
pub(crate) struct Types<'a> {
    all: Projections<'a>,
    /// By the Rust name of the RPC that tonic names them after.
    by_method: HashMap<String, &'a Ident>,
    /// Those whose types a constant can name.
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
        // One that is written twice, under different `#[cfg]`s, is free if both are.
        free.retain(|ident| !bound.contains(ident));
        let all = types.map(|item| &item.ident).collect();
        Self { all: Projections::new(all, head, trait_), by_method, free }
    }

    /// Whether a constant can ask what the type is.
    pub(crate) fn is_free(&self, ident: &Ident) -> bool {
        self.free.contains(ident)
    }

    /// The one that holds this method's response stream. tonic names it after the RPC; where no name fits, it
    /// is the one that the signature mentions.
    pub(crate) fn of(&self, method: &Method) -> Option<&'a Ident> {
        let named = self.named_after(method);
        named.or_else(|| self.all.first_in(method.sig.output.to_token_stream()))
    }

    /// The one that is called as tonic calls this method's.
    pub(crate) fn named_after(&self, method: &Method) -> Option<&'a Ident> {
        self.by_method.get(&rust_name(method)).copied()
    }

    /// How the RPCs are named, as far as those of these methods tell that have a type.
    pub(crate) fn style<'m>(&self, methods: impl Iterator<Item = &'m Method>) -> Style {
        let types = methods.filter_map(|method| self.named_after(method));
        Style::of(types.filter_map(rpc_name))
    }
}

/// Whether a type has its meaning in the impl alone: it names `Self` or a parameter, or a macro may; or it is an
/// `impl Stream`, where the compiler takes that.
fn is_bound(ty: &TokenStream, head: &ItemImpl) -> bool {
    let parameters: Vec<String> =
        head.generics.params.iter().map(|of| tokens::parameter_name(of).to_string()).collect();
    let is_own = |ident: &str| {
        ident == "Self" || ident == "impl" || parameters.iter().any(|own| own == ident)
    };
    tokens::mention(ty.clone(), &is_own)
        || !parameters.is_empty() && tokens::has_punct(ty.clone(), '!')
}

/// The method's name, without an `r#`.
pub(crate) fn rust_name(method: &Method) -> String {
    method.sig.ident.unraw().to_string()
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
    fn which_types_a_constant_can_name() {
        let concrete: ItemImpl = parse_quote!(impl Greeter for My {});
        let generic: ItemImpl = parse_quote!(
            impl<'a, T, const N: usize> Greeter for My<'a, T, N> {}
        );
        for (ty, in_concrete, in_generic) in [
            ("Boxed<Answer>", true, true),
            ("Boxed<Self>", false, false),
            ("Pin<Box<dyn Stream + 'a>>", true, false),
            ("Boxed<(u8, [T; 1])>", true, false),
            ("Grid<{ N }>", true, false),
            // What stands in a macro, nobody knows; `Self` is a type in the one and a generic one in the other.
            ("boxed!()", true, false),
            ("Boxed<boxed![]>", true, false),
            ("impl Stream", false, false),
            ("Pin<Box<impl Stream>>", false, false),
        ] {
            let ty: TokenStream = ty.parse().expect("tokens");
            assert_eq!(is_bound(&ty, &concrete), !in_concrete, "{ty}");
            assert_eq!(is_bound(&ty, &generic), !in_generic, "{ty}");
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
