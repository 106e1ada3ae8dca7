//! Splits an impl and its content by tokens. A parser of the whole would copy all tokens of every body.

use proc_macro2::{Delimiter, Group, TokenTree};

use crate::syntax::tokens::{closing_angle, is_punct};

/// Returns the attributes that the tokens start with, and what follows.
pub(crate) fn outer_attributes(trees: &[TokenTree]) -> (&[TokenTree], &[TokenTree]) {
    let mut end = 0;
    while is_punct(trees, end, '#') && is_bracketed(trees.get(end + 1)) {
        end += 2;
    }
    trees.split_at(end)
}

/// Returns the `#![…]`s that the tokens start with, and what follows.
pub(crate) fn inner_attributes(trees: &[TokenTree]) -> (&[TokenTree], &[TokenTree]) {
    let mut end = 0;
    while is_punct(trees, end, '#')
        && is_punct(trees, end + 1, '!')
        && is_bracketed(trees.get(end + 2))
    {
        end += 3;
    }
    trees.split_at(end)
}

/// What the tokens of an impl start with.
pub(crate) enum First<'a> {
    /// A function.
    Method {
        /// Its attributes, visibility and signature.
        head: &'a [TokenTree],
        body: Group,
        rest: &'a [TokenTree],
    },
    /// Up to the next semicolon, although a macro call in braces ends before.
    Other { item: &'a [TokenTree], rest: &'a [TokenTree] },
}

/// Splits the first item off.
pub(crate) fn first(trees: &[TokenTree]) -> First<'_> {
    if let Some((end, body)) = method_body(trees) {
        return First::Method { head: &trees[..end], body, rest: &trees[end + 1..] };
    }
    let semicolon = (0..trees.len()).find(|i| is_punct(trees, *i, ';'));
    let (item, rest) = trees.split_at(semicolon.map_or(trees.len(), |i| i + 1));
    First::Other { item, rest }
}

/// Returns the place and the braces of the body, if the tokens start with a function that has one.
fn method_body(trees: &[TokenTree]) -> Option<(usize, Group)> {
    let attributes = outer_attributes(trees).0.len();
    // `pub(crate) async unsafe extern "C" fn`
    let qualifiers = trees[attributes..].iter().take_while(|tree| match tree {
        TokenTree::Ident(ident) => ident != "fn",
        TokenTree::Group(group) => {
            matches!(group.delimiter(), Delimiter::Parenthesis | Delimiter::None)
        }
        TokenTree::Literal(_) => true,
        TokenTree::Punct(_) => false,
    });
    let keyword = attributes + qualifiers.count();
    let is_function = matches!(trees.get(keyword), Some(TokenTree::Ident(_)));
    if is_function { body(trees, keyword) } else { None }
}

/// Returns the place and the braces of the body of the item whose keyword is at `i`, if it has one.
pub(crate) fn body(trees: &[TokenTree], mut i: usize) -> Option<(usize, Group)> {
    loop {
        i += 1;
        match trees.get(i)? {
            TokenTree::Punct(punct) if punct.as_char() == ';' => return None,
            // Not the braces of `Grid<{ N }>`.
            TokenTree::Punct(punct) if punct.as_char() == '<' => i = closing_angle(trees, i)?,
            TokenTree::Group(group) => {
                if let Some(body) = as_braces(group.clone()) {
                    return Some((i, body));
                }
            }
            _ => {}
        }
    }
}

/// Returns the braces, without the invisible groups that `macro_rules!` puts around a fragment.
fn as_braces(group: Group) -> Option<Group> {
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => {
            let mut trees = group.stream().into_iter();
            match (trees.next(), trees.next()) {
                (Some(TokenTree::Group(group)), None) => as_braces(group),
                _ => None,
            }
        }
        Delimiter::Parenthesis | Delimiter::Bracket => None,
    }
}

fn is_bracketed(tree: Option<&TokenTree>) -> bool {
    matches!(tree, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket)
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;

    use super::*;

    fn trees(tokens: &str) -> Vec<TokenTree> {
        tokens.parse::<TokenStream>().expect("tokens").into_iter().collect()
    }

    fn text(trees: &[TokenTree]) -> String {
        let text = trees.iter().cloned().collect::<TokenStream>().to_string();
        text.split_whitespace().collect()
    }

    #[test]
    fn where_a_method_ends() {
        for head in [
            "fn a()",
            "async fn a(&self) -> A",
            "pub(crate) const unsafe extern \"C\" fn a(a: [A; { 1 }]) -> Grid<{ N }>",
            "#[a { b }] #[c] fn a<const N: usize>() where Grid<{ N }>: Fn() -> Grid<{ N }>, A: B<C>",
            "fn a() -> <A as B<{ 1 }>>::C",
        ] {
            let trees = trees(&format!("{head} {{ body; }} const A: B = C {{ d }};"));
            let First::Method { head: split, body, rest } = first(&trees) else {
                panic!("no method: {head}");
            };
            assert_eq!(text(split), text(&self::trees(head)));
            assert_eq!(text(&[body.into()]), "{body;}");
            assert_eq!(text(rest), "constA:B=C{d};");
        }
    }

    #[test]
    fn items_that_are_no_methods() {
        for item in ["type A = Grid<{ N }>;", "const A: fn() = { b };", "a!{} b;", "fn a();", ";"] {
            let trees = trees(&format!("{item} fn a() {{}}"));
            let First::Other { item: split, rest } = first(&trees) else {
                panic!("a method: {item}");
            };
            assert_eq!(text(split), text(&self::trees(item)));
            assert_eq!(text(rest), "fna(){}");
        }
        for broken in ["", "#[a]", "pub", "fn", "fn a()", "fn a() -> A<", "fn a() -> Grid<{ N }"] {
            let trees = trees(broken);
            let First::Other { item, rest: [] } = first(&trees) else {
                panic!("split: {broken}");
            };
            assert_eq!(item.len(), trees.len());
        }
    }

    #[test]
    fn invisible_groups_around_a_body() {
        let body = Group::new(Delimiter::Brace, TokenStream::new());
        let hidden = Group::new(Delimiter::None, TokenTree::from(body).into());
        let twice = Group::new(Delimiter::None, TokenTree::from(hidden).into());
        let mut trees = trees("fn a()");
        trees.push(twice.into());
        let First::Method { body, rest, .. } = first(&trees) else { panic!("no method") };
        assert!(body.delimiter() == Delimiter::Brace && rest.is_empty());
    }
}
