//! Makes `Self::WatchStream` mean the declared type in signatures and bodies.
//!
//! In the impl, the associated type is the declared type wrapped. This works on tokens, not on syntax, so it includes
//! the arguments of macro calls. Items inside a body have their own `Self` and stay unchanged.

use std::collections::HashSet;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ItemImpl, Path};

use crate::instrument::split;
use crate::syntax::tokens::{closing_angle, is_colons, regroup};

/// Some associated types of an impl, and how tokens may name them.
pub(crate) struct Projections<'a> {
    types: HashSet<&'a Ident>,
    self_type: String,
    trait_: Vec<String>,
}

impl<'a> Projections<'a> {
    pub(crate) fn new(types: HashSet<&'a Ident>, head: &ItemImpl, trait_: &Path) -> Self {
        Self {
            types,
            self_type: head.self_ty.to_token_stream().to_string(),
            trait_: trait_.segments.iter().map(|segment| segment.ident.to_string()).collect(),
        }
    }

    pub(crate) fn include(&self, ident: &Ident) -> bool {
        self.types.contains(ident)
    }

    /// Returns the first of the types that the tokens name.
    pub(crate) fn first_in(&self, tokens: TokenStream) -> Option<&'a Ident> {
        self.find(tokens, &|_| true)
    }

    /// Whether the tokens name this type.
    pub(crate) fn is_in(&self, ident: &Ident, tokens: TokenStream) -> bool {
        self.find(tokens, &|named| named == ident).is_some()
    }

    fn find(&self, tokens: TokenStream, wanted: &dyn Fn(&Ident) -> bool) -> Option<&'a Ident> {
        if self.types.is_empty() {
            return None;
        }
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        (0..trees.len()).find_map(|i| match &trees[i] {
            TokenTree::Group(group) => self.find(group.stream(), wanted),
            _ => self.projection(&trees, i).map(|(ident, _)| ident).filter(|ident| wanted(ident)),
        })
    }

    /// Replaces each of the types by its declared type.
    pub(crate) fn as_declared(&self, tokens: TokenStream) -> TokenStream {
        if self.types.is_empty() {
            return tokens;
        }
        self.written(tokens.clone(), Delimiter::None).unwrap_or(tokens)
    }

    /// Returns the tokens with each of the types replaced, or `None` if they name none.
    fn written(&self, tokens: TokenStream, delimiter: Delimiter) -> Option<TokenStream> {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut written = TokenStream::new();
        // Of the trees, so many are in `written`.
        let mut copied = 0;
        let mut i = 0;
        while i < trees.len() {
            if delimiter == Delimiter::Brace
                && let Some(end) = item_with_own_self(&trees, i)
            {
                i = end;
            } else if let Some((_, end)) = self.projection(&trees, i) {
                let wrapped = &trees[i..end];
                // An alias, since a qualified path is not allowed everywhere, for example before the fields of a
                // struct.
                let open = quote_spanned!(wrapped[0].span()=> __grpc::Declared::<);
                let close = quote_spanned!(wrapped[wrapped.len() - 1].span()=> >);
                let unchanged = &trees[copied..i];
                written.extend(quote!(#(#unchanged)* #open #(#wrapped)* #close));
                (copied, i) = (end, end);
            } else {
                // An unchanged group keeps the spans of its brackets, for messages.
                if let TokenTree::Group(group) = &trees[i]
                    && let Some(stream) = self.written(group.stream(), group.delimiter())
                {
                    written.extend(trees[copied..i].iter().cloned());
                    written.extend([TokenTree::from(regroup(group, stream))]);
                    copied = i + 1;
                }
                i += 1;
            }
        }
        (copied > 0).then(|| {
            written.extend(trees.into_iter().skip(copied));
            written
        })
    }

    /// Returns the type whose name starts at `i`, and the end of the name.
    fn projection(&self, trees: &[TokenTree], i: usize) -> Option<(&'a Ident, usize)> {
        // Cheap comparisons first, since an identifier's text is copied to be compared.
        let close = match &trees[i] {
            TokenTree::Ident(_) => i,
            TokenTree::Punct(punct) if punct.as_char() == '<' => closing_angle(trees, i)?,
            _ => return None,
        };
        let (colons, name) = (close + 1, close + 3);
        let (true, Some(TokenTree::Ident(ident))) = (is_colons(trees, colons), trees.get(name))
        else {
            return None;
        };
        let known = self.types.get(ident)?;
        let is_own =
            if close == i { is_ident(trees, i, "Self") } else { self.is_own(&trees[i + 1..close]) };
        is_own.then_some((*known, name + 1))
    }

    /// Whether `Type as Trait` is this impl.
    fn is_own(&self, qualified: &[TokenTree]) -> bool {
        let Some(as_) = (0..qualified.len()).find(|i| is_ident(qualified, *i, "as")) else {
            return qualified.len() == 1 && is_ident(qualified, 0, "Self");
        };
        let (ty, trait_) = (&qualified[..as_], &qualified[as_ + 1..]);
        let ty = ty.iter().cloned().collect::<TokenStream>().to_string();
        let idents = trait_.iter().map_while(|tree| match tree {
            TokenTree::Ident(ident) => Some(Some(ident.to_string())),
            TokenTree::Punct(punct) if punct.as_char() == ':' => Some(None),
            _ => None,
        });
        let trait_: Vec<String> = idents.flatten().collect();
        // One path may be longer: `Greeter` and `greeter_server::Greeter`.
        let same = trait_.iter().rev().zip(self.trait_.iter().rev());
        (ty == "Self" || ty == self.self_type)
            && !trait_.is_empty()
            && same.clone().all(|(a, b)| a == b)
    }
}

/// Returns the end of an impl or a trait that starts at `i` as a statement.
fn item_with_own_self(trees: &[TokenTree], i: usize) -> Option<usize> {
    let at_start = match i.checked_sub(1).map(|before| &trees[before]) {
        Some(TokenTree::Punct(punct)) => punct.as_char() == ';',
        // An item, an attribute, `pub(crate)`.
        None | Some(TokenTree::Group(_)) => true,
        Some(TokenTree::Ident(ident)) => ident == "unsafe" || ident == "pub",
        Some(TokenTree::Literal(_)) => false,
    };
    if !at_start || !(is_ident(trees, i, "impl") || is_ident(trees, i, "trait")) {
        return None;
    }
    split::body(trees, i).map(|(at, _)| at + 1)
}

fn is_ident(trees: &[TokenTree], i: usize, name: &str) -> bool {
    matches!(trees.get(i), Some(TokenTree::Ident(ident)) if ident == name)
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn declared(tokens: &str) -> String {
        let head: ItemImpl = parse_quote!(
            impl<T> kit::greeter_server::Greeter<fn() -> u8> for My<T> {}
        );
        let trait_: Path = parse_quote!(kit::greeter_server::Greeter<fn() -> u8>);
        let (watch, tail): (Ident, Ident) = (parse_quote!(WatchStream), parse_quote!(TailStream));
        let projections = Projections::new([&watch, &tail].into(), &head, &trait_);
        let declared = projections.as_declared(tokens.parse().expect("tokens")).to_string();
        declared.replace("__grpc :: Declared :: <", "{").split_whitespace().collect()
    }

    /// `{…>` stands for `__grpc::Declared<…>` here.
    #[test]
    fn what_names_the_types() {
        for (tokens, as_declared) in [
            ("Self::WatchStream", "{Self::WatchStream>"),
            ("Vec<Self::TailStream>", "Vec<{Self::TailStream>>"),
            ("Self::WatchStream::new()", "{Self::WatchStream>::new()"),
            ("Self::WatchStream { a }", "{Self::WatchStream>{a}"),
            ("<Self>::WatchStream", "{<Self>::WatchStream>"),
            ("<Self as Greeter>::WatchStream", "{<SelfasGreeter>::WatchStream>"),
            ("<My<T> as Greeter>::WatchStream", "{<My<T>asGreeter>::WatchStream>"),
            (
                "<My<T> as greeter_server::Greeter<fn() -> u8>>::WatchStream",
                "{<My<T>asgreeter_server::Greeter<fn()->u8>>::WatchStream>",
            ),
            (
                "<Self as ::a::kit::greeter_server::Greeter>::TailStream",
                "{<Selfas::a::kit::greeter_server::Greeter>::TailStream>",
            ),
            ("m![(Self::WatchStream)]", "m![({Self::WatchStream>)]"),
            ("<Self::WatchStream as Stream>::Item", "<{Self::WatchStream>asStream>::Item"),
            // Other types, traits and names.
            ("Self::ChatStream", "Self::ChatStream"),
            ("Self::Item::WatchStream", "Self::Item::WatchStream"),
            ("My::WatchStream", "My::WatchStream"),
            ("<My>::WatchStream", "<My>::WatchStream"),
            ("<My<T>>::WatchStream", "<My<T>>::WatchStream"),
            ("<Other as Greeter>::WatchStream", "<OtherasGreeter>::WatchStream"),
            ("<Self as Reader>::WatchStream", "<SelfasReader>::WatchStream"),
            ("<Self as other::Greeter>::WatchStream", "<Selfasother::Greeter>::WatchStream"),
            ("<Self as >::WatchStream", "<Selfas>::WatchStream"),
            ("<Self as Greeter>::ChatStream", "<SelfasGreeter>::ChatStream"),
            ("<Self as Greeter>.WatchStream", "<SelfasGreeter>.WatchStream"),
            ("Self.WatchStream", "Self.WatchStream"),
            ("<Self as Greeter", "<SelfasGreeter"),
            ("Self::", "Self::"),
            ("a < Self && b", "a<Self&&b"),
        ] {
            assert_eq!(declared(tokens), as_declared, "{tokens}");
        }
    }

    #[test]
    fn which_of_the_types_is_named() {
        let head: ItemImpl = parse_quote!(impl Greeter for My {});
        let (watch, tail): (Ident, Ident) = (parse_quote!(WatchStream), parse_quote!(TailStream));
        let projections = Projections::new([&watch, &tail].into(), &head, &parse_quote!(Greeter));
        let both = || quote!(Both<(Self::TailStream, Self::WatchStream)>);
        assert!(projections.first_in(both()).is_some_and(|first| *first == tail));
        assert!(projections.is_in(&watch, both()) && projections.is_in(&tail, both()));
        assert!(!projections.is_in(&watch, quote!(One<Self::TailStream>)));
    }

    #[test]
    fn items_with_a_self_of_their_own() {
        let kept = "{ type A = Self::WatchStream; }";
        for item in [
            "impl Other",
            "unsafe impl Other for B",
            "trait Other",
            "pub trait Other",
            "pub(crate) trait Other",
            "pub unsafe trait Other: Grid<{ 1 }> where A<{ B }>: C",
            "impl Grid<{ N }> for A<fn() -> B>",
            "#[a] impl Other",
            "impl<const N: usize> Grid<{ N }>",
            "impl Other for (A, B)",
        ] {
            for before in ["", "a();", "fn a() {}", "const A: B = { c };"] {
                let body = format!("{{ {before} {item} {kept} Self::TailStream }}");
                let as_declared = declared(&body);
                assert!(as_declared.contains("typeA=Self::WatchStream"), "{body}: {as_declared}");
                assert!(as_declared.ends_with("{Self::TailStream>}"), "{body}: {as_declared}");
            }
        }
        for statement in [
            "let a: impl Fn() -> Self::WatchStream = b",
            "fn a() -> impl Into<Self::WatchStream> { b }",
            "f(x, impl)",
            "\"a\" impl",
        ] {
            let body = format!("{{ {statement} {{ Self::WatchStream }} }}");
            let as_declared = declared(&body);
            assert!(as_declared.contains("{{Self::WatchStream>}"), "{body}: {as_declared}");
        }
        // An item without a body.
        assert_eq!(declared("{ impl A Self::WatchStream }"), "{implA{Self::WatchStream>}");
    }
}
