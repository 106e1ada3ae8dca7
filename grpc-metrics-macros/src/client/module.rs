//! Parses the module of a client.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Result};

use crate::syntax::items;

/// An inline module.
pub(crate) struct Module {
    pub(crate) attrs: Vec<Attribute>,
    /// Everything between the attributes and the braces.
    pub(crate) head: TokenStream,
    pub(crate) name: Ident,
    /// The braces and their content.
    pub(crate) body: Group,
}

/// Parses the module, but not its items.
pub(crate) fn parse(item: TokenStream) -> Result<Module> {
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    let keyword = items::keyword(&tokens).filter(|(_, keyword)| keyword == "mod");
    let name = keyword.and_then(|(at, _)| match tokens.get(at + 1) {
        Some(TokenTree::Ident(name)) => Some(name.clone()),
        _ => None,
    });
    let braces = |tree: &mut TokenTree| matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let Some(name) = name else {
        return Err(items::wrong_kind(&tokens, not_on));
    };
    let Some(TokenTree::Group(body)) = tokens.pop_if(braces) else {
        return Err(items::wrong_kind(&tokens, |item| {
            not_on(&format!("{item} without `{{ … }}`"))
        }));
    };
    let split = |input: ParseStream| {
        Ok((input.call(Attribute::parse_outer)?, input.parse::<TokenStream>()?))
    };
    let (attrs, head) = split.parse2(tokens.into_iter().collect())?;
    Ok(Module { attrs, head, name, body })
}

fn not_on(item: &str) -> String {
    format!(
        "`#[instrument_grpc_client]` can't be applied to {item}: it belongs above the client modules that tonic \
         generates, so write `.client_mod_attribute(\".\", \"#[::grpc_metrics_runtime::instrument_grpc_client]\")` in \
         build.rs"
    )
}
