//! Work on tokens that are not parsed: handlers' bodies.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// Whether one of `names` occurs anywhere in the tokens, lifetimes without their tick.
pub(crate) fn mention(tokens: TokenStream, names: &dyn Fn(&str) -> bool) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Group(group) => mention(group.stream(), names),
        TokenTree::Ident(ident) => names(&ident.to_string()),
        _ => false,
    })
}

/// What `Box::pin(async move { … })` at the end of a body consists of.
pub(crate) struct BoxedTail {
    /// All before the parentheses: earlier statements, and `Box::pin`.
    pub(crate) before: TokenStream,
    /// What is in the parentheses: the async block.
    pub(crate) block: TokenStream,
}

/// Finds the call that `#[async_trait]` makes of a method's body.
pub(crate) fn boxed_tail(body: TokenStream) -> Option<BoxedTail> {
    let mut trees: Vec<TokenTree> = body.into_iter().collect();
    let Some(TokenTree::Group(call)) = trees.pop() else {
        return None;
    };
    let is_call =
        call.delimiter() == Delimiter::Parenthesis && is_box_pin(&trees) && is_async(&call);
    is_call.then(|| BoxedTail {
        before: trees.into_iter().collect(),
        block: call.stream(),
    })
}

fn is_box_pin(trees: &[TokenTree]) -> bool {
    let Some([box_, TokenTree::Punct(a), TokenTree::Punct(b), pin]) = trees.last_chunk() else {
        return false;
    };
    let is = |tree: &TokenTree, name| matches!(tree, TokenTree::Ident(ident) if ident == name);
    is(box_, "Box") && a.as_char() == ':' && b.as_char() == ':' && is(pin, "pin")
}

fn is_async(call: &Group) -> bool {
    let trees: Vec<TokenTree> = call.stream().into_iter().collect();
    matches!(
        trees.as_slice(),
        [TokenTree::Ident(a), TokenTree::Ident(m), TokenTree::Group(block)]
            if a == "async" && m == "move" && block.delimiter() == Delimiter::Brace
    )
}

/// Associated types and what the user declared them to be.
#[derive(Default)]
pub(crate) struct Declared(pub(crate) Vec<(String, TokenStream)>);

impl Declared {
    fn get(&self, tree: Option<&TokenTree>) -> Option<&(String, TokenStream)> {
        let Some(TokenTree::Ident(ident)) = tree else {
            return None;
        };
        self.0.iter().find(|(name, _)| ident == name)
    }

    /// Writes each `Self::Name` and `<Self as Trait>::Name` as the declared type.
    ///
    /// Tokens are looked at, not syntax: what stands inside a macro's braces is meant as well. Where an
    /// item inside a body has a `Self` of its own, it is left alone.
    pub(crate) fn write_out(&self, tokens: TokenStream) -> TokenStream {
        if self.0.is_empty() {
            tokens
        } else {
            self.in_group(tokens, Delimiter::None)
        }
    }

    fn in_group(&self, tokens: TokenStream, delimiter: Delimiter) -> TokenStream {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut written = TokenStream::new();
        let mut i = 0;
        while i < trees.len() {
            if delimiter == Delimiter::Brace
                && let Some(end) = item_with_own_self(&trees, i)
            {
                written.extend(trees[i..end].iter().cloned());
                i = end;
            } else if let Some((_, ty, end)) = self.projection(&trees, i) {
                // `Self::Name::new()` needs the brackets, and a type alone can't have them.
                let called = is_colons(&trees, end);
                written.extend(if called {
                    quote::quote!(<#ty>)
                } else {
                    ty.clone()
                });
                i = end;
            } else {
                written.extend([match &trees[i] {
                    TokenTree::Group(group) => {
                        let mut new = Group::new(
                            group.delimiter(),
                            self.in_group(group.stream(), group.delimiter()),
                        );
                        new.set_span(group.span());
                        new.into()
                    }
                    tree => tree.clone(),
                }]);
                i += 1;
            }
        }
        written
    }

    /// The name and declared type of the projection that begins at `i`, and where it ends.
    fn projection(&self, trees: &[TokenTree], i: usize) -> Option<(&str, &TokenStream, usize)> {
        let is_self =
            |i: usize| matches!(trees.get(i), Some(TokenTree::Ident(ident)) if ident == "Self");
        let colons = if is_self(i) {
            i + 1
        } else if is_punct(trees, i, '<') && is_self(i + 1) {
            let is_as = matches!(trees.get(i + 2), Some(TokenTree::Ident(ident)) if ident == "as");
            if is_as {
                closing_angle(trees, i)? + 1
            } else {
                return None;
            }
        } else {
            return None;
        };
        let name = colons + 2;
        if !is_colons(trees, colons) {
            return None;
        }
        self.get(trees.get(name))
            .map(|(declared, ty)| (declared.as_str(), ty, name + 1))
    }
}

/// If an `impl` or a trait begins at `i` as a statement, where it ends.
fn item_with_own_self(trees: &[TokenTree], i: usize) -> Option<usize> {
    let at_start = match i.checked_sub(1).map(|before| &trees[before]) {
        None => true,
        Some(TokenTree::Punct(punct)) => punct.as_char() == ';',
        Some(TokenTree::Group(group)) => {
            matches!(group.delimiter(), Delimiter::Brace | Delimiter::Bracket)
        }
        Some(TokenTree::Ident(ident)) => ident == "unsafe" || ident == "pub",
        Some(TokenTree::Literal(_)) => false,
    };
    let TokenTree::Ident(ident) = &trees[i] else {
        return None;
    };
    if !at_start || !(ident == "impl" || ident == "trait") {
        return None;
    }
    let is_body =
        |tree: &TokenTree| matches!(tree, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace);
    trees[i..].iter().position(is_body).map(|body| i + body + 1)
}

fn closing_angle(trees: &[TokenTree], open: usize) -> Option<usize> {
    let mut depth = 0;
    for i in open..trees.len() {
        if is_punct(trees, i, '<') {
            depth += 1;
        } else if is_punct(trees, i, '>') && !(i > 0 && is_punct(trees, i - 1, '-')) {
            depth -= 1;
            if depth == 0 {
                return Some(i);
            }
        }
    }
    None
}

fn is_punct(trees: &[TokenTree], i: usize, c: char) -> bool {
    matches!(trees.get(i), Some(TokenTree::Punct(punct)) if punct.as_char() == c)
}

fn is_colons(trees: &[TokenTree], i: usize) -> bool {
    let joint = matches!(trees.get(i), Some(TokenTree::Punct(p)) if p.spacing() == Spacing::Joint);
    joint && is_punct(trees, i, ':') && is_punct(trees, i + 1, ':')
}

impl Declared {
    /// The first declared name that the tokens project from `Self`.
    pub(crate) fn projected_in(&self, tokens: TokenStream) -> Option<&str> {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        (0..trees.len()).find_map(|i| match &trees[i] {
            TokenTree::Group(group) => self.projected_in(group.stream()),
            _ => self.projection(&trees, i).map(|(name, _, _)| name),
        })
    }
}
