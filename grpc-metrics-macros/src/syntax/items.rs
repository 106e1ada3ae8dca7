//! The kind of an item, also of one that does not parse.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Error;

/// Returns the keyword of the item's kind, and its index.
pub(crate) fn keyword(tokens: &[TokenTree]) -> Option<(usize, String)> {
    const KINDS: [&str; 10] =
        ["impl", "fn", "struct", "enum", "union", "trait", "mod", "type", "const", "static"];
    tokens.iter().enumerate().find_map(|(i, tree)| match tree {
        TokenTree::Ident(ident) => {
            Some((i, ident.to_string())).filter(|(_, name)| KINDS.contains(&name.as_str()))
        }
        _ => None,
    })
}

/// The error for an attribute above an item of another kind. `message` formats it, given "this `struct`".
pub(crate) fn wrong_kind(tokens: &[TokenTree], message: impl Fn(&str) -> String) -> Error {
    let Some((at, keyword)) = keyword(tokens) else {
        // Without the item's body, which may be long.
        let is_body = |tree: &&TokenTree| !matches!(tree, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace);
        let first_line: TokenStream = tokens.iter().take_while(is_body).cloned().collect();
        return Error::new_spanned(first_line, message("this item"));
    };
    // The keyword and the name. The tokens around may come from another attribute, with that one's span.
    let named: TokenStream = tokens[at..].iter().take(2).cloned().collect();
    Error::new_spanned(named, message(&format!("this `{keyword}`")))
}
