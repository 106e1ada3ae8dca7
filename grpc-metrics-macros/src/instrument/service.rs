//! Parses the impl of a tonic service.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{
    AttrStyle, Attribute, Error, ImplItem, ImplItemMacro, ImplItemType, ItemImpl, Path, Result,
    Signature, Visibility,
};

use crate::instrument::split::{self, First};
use crate::syntax::{items, tokens};

/// The parsed impl.
pub(crate) struct Service {
    /// Everything but the items.
    pub(crate) head: ItemImpl,
    pub(crate) trait_: Path,
    pub(crate) items: Vec<Item>,
}

pub(crate) enum Item {
    Method(Box<Method>),
    Type(Box<ImplItemType>),
    Macro(MacroCall),
    /// Has nothing to instrument, such as a constant.
    Other(TokenStream),
}

impl Item {
    pub(crate) fn as_method(&self) -> Option<&Method> {
        if let Self::Method(method) = self { Some(method) } else { None }
    }

    pub(crate) fn as_type(&self) -> Option<&ImplItemType> {
        if let Self::Type(item) = self { Some(item) } else { None }
    }
}

/// A macro call. It may expand to methods, which are not measured.
pub(crate) struct MacroCall {
    /// Without `#[skip_metrics]`.
    pub(crate) call: ImplItemMacro,
    pub(crate) skip: Vec<Attribute>,
}

pub(crate) struct Method {
    /// Without the helper attributes.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) skip: Vec<Attribute>,
    pub(crate) rpc: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The braces and their content. Never parsed, so that a half-typed body survives.
    pub(crate) body: Group,
}

/// Parses the impl.
pub(crate) fn parse(item: TokenStream) -> Result<Service> {
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    let is_impl = items::keyword(&tokens).is_some_and(|(_, keyword)| keyword == "impl");
    let Some(TokenTree::Group(body)) = tokens.pop_if(|_| is_impl) else {
        return Err(items::wrong_kind(&tokens, not_on));
    };
    tokens.push(tokens::braces(body.span(), TokenStream::new()).into());
    let mut head: ItemImpl = syn::parse2(tokens.into_iter().collect())?;
    let Some((trait_, _)) = head.trait_.clone() else {
        let message = format!(
            "`impl {ty}` implements no service: put `#[instrument_grpc]` above the impl of the trait that tonic \
             generates, `impl Greeter for {ty}`",
            ty = tokens::as_typed(&head.self_ty)
        );
        return Err(Error::new_spanned(&head.self_ty, message));
    };
    let content: Vec<TokenTree> = body.stream().into_iter().collect();
    let (attrs, items) = split::inner_attributes(&content);
    let attrs = Attribute::parse_inner.parse2(attrs.iter().cloned().collect())?;
    // They become outer ones.
    head.attrs.extend(attrs.into_iter().map(|attr| Attribute { style: AttrStyle::Outer, ..attr }));
    Ok(Service { head, trait_, items: parse_items(items)? })
}

/// Parses one method.
pub(crate) fn method(item: TokenStream) -> Option<Method> {
    let trees: Vec<TokenTree> = item.into_iter().collect();
    match split::first(&trees) {
        First::Method { head, body, rest: [] } => parse_method(head, body).ok(),
        _ => None,
    }
}

fn not_on(item: &str) -> String {
    format!(
        "`#[instrument_grpc]` can't be applied to {item}: put it above the impl of a service, `impl Greeter for \
         MyGreeter {{ … }}`"
    )
}

/// Removes the invisible groups that `macro_rules!` puts around fragments.
fn ungroup(tokens: TokenStream) -> TokenStream {
    let mut trees = tokens.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::None => {
            ungroup(group.stream())
        }
        _ => tokens,
    }
}

fn parse_items(mut trees: &[TokenTree]) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    while !trees.is_empty() {
        let (item, rest) = match split::first(trees) {
            First::Method { head, body, rest } => {
                (parse_method(head, body).map(|method| Item::Method(Box::new(method))), rest)
            }
            First::Other { item, rest } => (parse_other.parse2(collected(item)), rest),
        };
        let (item, rest) = if let Ok(item) = item {
            (item, rest)
        } else {
            // Perhaps it ends somewhere else. If it does not parse, the error is about what follows, too.
            let parse = |input: ParseStream| Ok((parse_other(input)?, input.parse()?));
            let (item, rest): (Item, TokenStream) = parse.parse2(collected(trees))?;
            (item, &trees[trees.len() - rest.into_iter().count()..])
        };
        trees = rest;
        items.push(item);
    }
    Ok(items)
}

fn collected(trees: &[TokenTree]) -> TokenStream {
    trees.iter().cloned().collect()
}

/// Parses an item that is not a method with a body.
fn parse_other(input: ParseStream) -> Result<Item> {
    Ok(match input.parse()? {
        ImplItem::Type(item) => Item::Type(Box::new(item)),
        ImplItem::Macro(mut call) => {
            let skip = call.attrs.extract_if(.., |attr| is_called(attr, "skip_metrics"));
            Item::Macro(MacroCall { skip: skip.collect(), call })
        }
        item => Item::Other(item.into_token_stream()),
    })
}

fn parse_method(head: &[TokenTree], body: Group) -> Result<Method> {
    let parse = |input: ParseStream| {
        let (mut attrs, mut skip, mut rpc) = (Vec::new(), Vec::new(), Vec::new());
        for attr in input.call(Attribute::parse_outer)? {
            if is_called(&attr, "skip_metrics") {
                skip.push(attr);
            } else if is_called(&attr, "rpc") {
                rpc.push(attr);
            } else {
                attrs.push(attr);
            }
        }
        Ok((attrs, skip, rpc, input.parse()?, input.parse()?))
    };
    let (attrs, skip, rpc, vis, sig) = parse.parse2(collected(head))?;
    Ok(Method { attrs, skip, rpc, vis, sig, body })
}

/// Whether the last segment of the attribute's path is `name`.
fn is_called(attr: &Attribute, name: &str) -> bool {
    attr.path().segments.last().is_some_and(|last| last.ident == name)
}

/// The attributes on methods that `#[instrument_grpc]` reads.
pub(crate) const HELPERS: [&str; 2] = ["skip_metrics", "rpc"];

/// The name of `#[instrument_grpc]` after it has moved below the other attributes.
pub(crate) const LAST: &str = "instrument_grpc_last";

/// Whether it is a `cfg_attr` with a helper attribute. Its condition is unknown here.
pub(crate) fn hides_helper(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg_attr")
        && attr.meta.require_list().is_ok_and(|list| applies_helper(&list.tokens))
}

/// Whether one of the attributes after the condition is a helper.
fn applies_helper(cfg_attr: &TokenStream) -> bool {
    let trees: Vec<TokenTree> = cfg_attr.clone().into_iter().collect();
    let is_comma =
        |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',');
    trees.split(is_comma).skip(1).any(|attr| {
        let attr: Vec<TokenTree> = ungroup(attr.iter().cloned().collect()).into_iter().collect();
        let path = attr.iter().map_while(|tree| match tree {
            TokenTree::Ident(ident) => Some(ident.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == ':' => Some(String::new()),
            _ => None,
        });
        match (path.last().as_deref(), attr.last()) {
            (Some("cfg_attr"), Some(TokenTree::Group(nested))) => applies_helper(&nested.stream()),
            (Some(last), _) => HELPERS.contains(&last),
            (None, _) => false,
        }
    })
}

impl ToTokens for Method {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, sig, body, .. } = self;
        tokens.extend(quote!(#(#attrs)* #vis #sig #body));
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn helpers_in_cfg_attr() {
        let hiding: [Attribute; 6] = [
            parse_quote!(#[cfg_attr(all(), rpc(name = "A"))]),
            parse_quote!(#[cfg_attr(all(), skip_metrics)]),
            parse_quote!(#[cfg_attr(feature = "a", inline, grpc_metrics_runtime::skip_metrics)]),
            parse_quote!(#[cfg_attr(any(a, b), ::kit::rpc)]),
            parse_quote!(#[cfg_attr(a, cfg_attr(b, rpc(name = "A")))]),
            parse_quote!(#[cfg_attr(a, rpc = "A")]),
        ];
        for attr in hiding {
            assert!(hides_helper(&attr), "{}", attr.to_token_stream());
        }
        let others: [Attribute; 8] = [
            parse_quote!(#[cfg_attr(all(), tracing::instrument(fields(rpc.method = "A")))]),
            parse_quote!(#[cfg_attr(rpc, inline)]),
            parse_quote!(#[cfg_attr(any(a, rpc), inline)]),
            parse_quote!(#[cfg_attr(a, cfg_attr(rpc, inline))]),
            parse_quote!(#[cfg_attr(a, rpc::traced)]),
            parse_quote!(#[cfg_attr(a)]),
            parse_quote!(#[cfg_attr(a,)]),
            parse_quote!(#[traced(a, rpc)]),
        ];
        for attr in others {
            assert!(!hides_helper(&attr), "{}", attr.to_token_stream());
        }
    }

    #[test]
    fn the_kind_of_an_item() {
        for kind in ["fn", "struct", "enum", "union", "trait", "mod", "type", "const", "static"] {
            let item: TokenStream =
                format!("#[doc = \"impl\"] pub {kind} Name {{}}").parse().unwrap();
            let error = parse(item).err().expect("no impl").to_string();
            assert!(error.contains(&format!(" to this `{kind}`: ")), "{error}");
        }
        for item in ["", "impl Greeter for", "pub Name"] {
            let item: TokenStream = item.parse().unwrap();
            assert!(parse(item).is_err());
        }
    }
}
