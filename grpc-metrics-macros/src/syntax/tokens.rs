//! Functions on unparsed tokens, such as handlers' bodies.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Signature;

/// Like `quote!`, with hygienic local names.
macro_rules! emit {
    ($($tokens:tt)*) => { ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*) };
}
pub(crate) use emit;

/// Whether the tokens contain an identifier that `names` accepts. Lifetimes count without their tick.
pub(crate) fn mention(tokens: TokenStream, names: &dyn Fn(&str) -> bool) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Group(group) => mention(group.stream(), names),
        TokenTree::Ident(ident) => names(&ident.to_string()),
        _ => false,
    })
}

/// Whether the tokens contain `punct`.
pub(crate) fn has_punct(tokens: TokenStream, punct: char) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Group(group) => has_punct(group.stream(), punct),
        TokenTree::Punct(of) => of.as_char() == punct,
        _ => false,
    })
}

/// Returns the name of a generic parameter.
pub(crate) fn parameter_name(parameter: &syn::GenericParam) -> &Ident {
    match parameter {
        syn::GenericParam::Lifetime(parameter) => &parameter.lifetime.ident,
        syn::GenericParam::Type(parameter) => &parameter.ident,
        syn::GenericParam::Const(parameter) => &parameter.ident,
    }
}

/// Formats tokens as the user wrote them, for messages.
pub(crate) fn as_typed(tokens: impl ToTokens) -> String {
    let tokens = tokens.into_token_stream();
    if proc_macro::is_available() { by_place(tokens) } else { by_habit(&tokens) }
}

/// Formats tokens with the spaces of the source.
fn by_place(tokens: TokenStream) -> String {
    let mut pieces = Vec::new();
    flatten(tokens, &mut pieces);
    let mut typed = String::new();
    let mut last_end = None;
    for Piece { text, start, end } in pieces {
        let touches = last_end == Some(start) || typed.ends_with('\'');
        if !typed.is_empty() && !touches {
            typed.push(' ');
        }
        typed.push_str(&text);
        last_end = Some(end);
    }
    typed
}

/// A token or a bracket, with the line and column of its start and end.
struct Piece {
    text: String,
    start: (usize, usize),
    end: (usize, usize),
}

fn flatten(tokens: TokenStream, pieces: &mut Vec<Piece>) {
    for tree in tokens {
        let place = tree.span().unwrap();
        let (start, end) = (place.start(), place.end());
        let (start, end) = ((start.line(), start.column()), (end.line(), end.column()));
        let TokenTree::Group(group) = &tree else {
            pieces.push(Piece { text: tree.to_string(), start, end });
            continue;
        };
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => {
                flatten(group.stream(), pieces);
                continue;
            }
        };
        // Parsed brackets have lost their own spans.
        let after = |(line, column)| (line, column + 1);
        let before = |(line, column): (usize, usize)| (line, column.saturating_sub(1));
        pieces.push(Piece { text: open.to_owned(), start, end: after(start) });
        flatten(group.stream(), pieces);
        pieces.push(Piece { text: close.to_owned(), start: before(end), end });
    }
}

/// Formats tokens with the usual spaces, since there are no spans outside a compiler.
fn by_habit(tokens: &TokenStream) -> String {
    let tight = [(" :: ", "::"), (" <", "<"), ("< ", "<"), (" >", ">"), (" ,", ","), (" (", "(")];
    tight.iter().fold(tokens.to_string(), |typed, (spaced, tight)| typed.replace(spaced, tight))
}

/// Replaces every lifetime by `'static`. Leaves all unchanged if there is a `for<'a>`, whose lifetimes can't be static.
pub(crate) fn with_static_lifetimes(tokens: TokenStream) -> TokenStream {
    if mention(tokens.clone(), &|ident| ident == "for") {
        return tokens;
    }
    let mut after_tick = false;
    let written = tokens.into_iter().map(|tree| {
        let is_lifetime = std::mem::replace(
            &mut after_tick,
            matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '\''),
        );
        match tree {
            TokenTree::Ident(ident) if is_lifetime => Ident::new("static", ident.span()).into(),
            TokenTree::Group(group) => {
                regroup(&group, with_static_lifetimes(group.stream())).into()
            }
            tree => tree,
        }
    });
    written.collect()
}

/// Gives every `self` in the tokens the hygiene of the method's. They differ if a `macro_rules!` generates the impl and
/// the tokens come from its caller.
pub(crate) fn with_self_of(method: &Signature, tokens: TokenStream) -> TokenStream {
    let Some(receiver) = method.receiver() else {
        return tokens;
    };
    let own = receiver.self_token.span;
    let written = tokens.into_iter().map(|tree| match tree {
        TokenTree::Ident(ident) if ident == "self" => {
            Ident::new("self", ident.span().resolved_at(own)).into()
        }
        TokenTree::Group(group) => regroup(&group, with_self_of(method, group.stream())).into(),
        tree => tree,
    });
    written.collect()
}

/// Replaces the content of a group.
pub(crate) fn regroup(group: &Group, stream: TokenStream) -> Group {
    bracketed(group.delimiter(), group.span(), stream)
}

/// Returns the tokens in braces with this span.
pub(crate) fn braces(span: Span, stream: TokenStream) -> Group {
    bracketed(Delimiter::Brace, span, stream)
}

/// Returns the tokens in parentheses with this span.
pub(crate) fn parentheses(span: Span, stream: TokenStream) -> Group {
    bracketed(Delimiter::Parenthesis, span, stream)
}

fn bracketed(delimiter: Delimiter, span: Span, stream: TokenStream) -> Group {
    let mut group = Group::new(delimiter, stream);
    group.set_span(span);
    group
}

/// The parts of a body that ends in `Box::pin(async move { … })`.
pub(crate) struct Boxed {
    /// The statements before it.
    pub(crate) before: TokenStream,
    /// `Box::pin`
    pub(crate) path: TokenStream,
    /// The parentheses.
    pub(crate) call: Group,
    /// `async move`
    pub(crate) keywords: TokenStream,
    /// The braces.
    pub(crate) block: Group,
}

/// Splits a body that ends in `Box::pin(async move { … })`, generated by `#[async_trait]` or written by hand.
pub(crate) fn boxed(body: TokenStream) -> Option<Boxed> {
    let mut before: Vec<TokenTree> = body.into_iter().collect();
    let Some(TokenTree::Group(call)) = before.pop() else {
        return None;
    };
    let mut keywords: Vec<TokenTree> = call.stream().into_iter().collect();
    let Some(TokenTree::Group(block)) = keywords.pop() else {
        return None;
    };
    // `Box::pin` or a longer path, such as `std::boxed::Box::pin`.
    let is_of_path =
        |i: &usize| matches!(before[*i], TokenTree::Ident(_)) || is_punct(&before, *i, ':');
    let start = (0..before.len()).rev().take_while(is_of_path).last()?;
    let path = before.split_off(start);
    let is = |tree: &TokenTree, name| matches!(tree, TokenTree::Ident(ident) if ident == name);
    let calls_box_pin = call.delimiter() == Delimiter::Parenthesis
        && !is(&path[0], "return")
        && matches!(path.last_chunk(), Some([box_, _, _, pin]) if is(box_, "Box") && is(pin, "pin"));
    let is_async = matches!(keywords.as_slice(), [a, m] if is(a, "async") && is(m, "move"));
    // Only whole statements come before, and none of them returns early.
    let is_end = |tree: &TokenTree| match tree {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    };
    let goes_through = before.last().is_none_or(is_end)
        && !mention(before.iter().cloned().collect(), &|ident| ident == "return");
    (calls_box_pin && is_async && goes_through).then(|| Boxed {
        before: before.into_iter().collect(),
        path: path.into_iter().collect(),
        call,
        keywords: keywords.into_iter().collect(),
        block,
    })
}

/// Returns the spans of the first and the last token, for messages. Tokens with these spans have the hygiene of the
/// user's code, so they must not name locals. Other spans would not work, since the compiler joins no spans of
/// different hygiene.
pub(crate) fn ends(tokens: &TokenStream) -> (Span, Span) {
    let at = |tree: Option<TokenTree>| tree.map_or_else(Span::mixed_site, |tree| tree.span());
    (at(tokens.clone().into_iter().next()), at(tokens.clone().into_iter().last()))
}

pub(crate) fn is_punct(trees: &[TokenTree], i: usize, c: char) -> bool {
    matches!(trees.get(i), Some(TokenTree::Punct(punct)) if punct.as_char() == c)
}

pub(crate) fn is_colons(trees: &[TokenTree], i: usize) -> bool {
    is_punct(trees, i, ':') && is_punct(trees, i + 1, ':')
}

/// Returns the place of the `>` that closes the `<` at `open`.
pub(crate) fn closing_angle(trees: &[TokenTree], open: usize) -> Option<usize> {
    let mut depth = 0;
    for i in open..trees.len() {
        let is_arrow = i > 0 && is_punct(trees, i - 1, '-');
        if is_punct(trees, i, '<') {
            depth += 1;
        } else if is_punct(trees, i, '>') && !is_arrow {
            depth -= 1;
            if depth == 0 {
                return Some(i);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_that_are_async_trait_s_own_or_like_it() {
        for (body, is_boxed) in [
            ("Box::pin(async move { a })", true),
            ("::std::boxed::Box::pin(async move { a })", true),
            ("a(); Box::pin(async move { a })", true),
            ("if a { b() } Box::pin(async move { a })", true),
            ("let a = Box::pin(async move { a })", false),
            ("if a { return b; } Box::pin(async move { a })", false),
            ("let a = || return b; Box::pin(async move { a })", false),
            ("return Box::pin(async move { a })", false),
            ("Box::pin(async { a })", false),
            ("Box::pin(async gen { a })", false),
            ("Box::pin(gen move { a })", false),
            ("Box::pin(async move { a }, b)", false),
            ("Box::new(async move { a })", false),
            ("Rc::pin(async move { a })", false),
            ("Box::pin { async move { a } }", false),
            ("pin(async move { a })", false),
            ("(async move { a })", false),
            ("Box::pin()", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(boxed(body.parse().expect("tokens")).is_some(), is_boxed, "{body}");
        }
    }

    #[test]
    fn lifetimes_that_can_be_static() {
        for (written, is_static) in [
            ("&'a A<'b>", "&'static A<'static>"),
            ("(&'a A, [&'b B])", "(&'static A, [&'static B])"),
            ("dyn for<'a> Fn(&'a A)", "dyn for<'a> Fn(&'a A)"),
            ("A", "A"),
        ] {
            let parsed = |tokens: &str| tokens.parse::<TokenStream>().expect("tokens");
            let replaced = with_static_lifetimes(parsed(written)).to_string();
            assert_eq!(replaced, parsed(is_static).to_string());
        }
    }
}
