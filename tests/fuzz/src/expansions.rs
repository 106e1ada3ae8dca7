//! The macros, on text that a user may have typed halfway.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{File, Item};

use crate::instrument;

/// Deeper nesting overflows the parser's stack. The compiler has a limit of its own before that.
const DEEPEST: usize = 50;

/// Reads tokens, if the text has any.
fn tokens(text: &str) -> Option<TokenStream> {
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            '(' | '[' | '{' | '<' | '&' | '*' | '!' | '-' => depth += 1,
            ')' | ']' | '}' | '>' => depth = depth.saturating_sub(1),
            ';' | ',' => {}
            _ => continue,
        }
        if depth > DEEPEST {
            return None;
        }
    }
    text.parse().ok()
}

/// Reads the arguments from the first line and the item from the rest.
fn arguments_and_item(input: &[u8]) -> Option<(TokenStream, TokenStream)> {
    let (args, item) = std::str::from_utf8(input).ok()?.split_once('\n')?;
    Some((tokens(args)?, tokens(item)?))
}

/// Collects the identifiers outside of attributes, which the macros may remove or write anew.
fn identifiers(tokens: TokenStream, found: &mut Vec<String>) {
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                trees.next_if(|next| matches!(next, TokenTree::Group(_)));
            }
            TokenTree::Ident(ident) => found.push(ident.to_string()),
            TokenTree::Group(group) => identifiers(group.stream(), found),
            _ => {}
        }
    }
}

/// Fails if the expansion reports a mistake and lacks a part of the item, or does not parse though the item does.
fn check(item: &TokenStream, expanded: &TokenStream) {
    let parsed =
        syn::parse2::<Item>(item.clone()).is_ok_and(|item| !matches!(item, Item::Verbatim(_)));
    if parsed {
        let result = syn::parse2::<File>(expanded.clone());
        assert!(result.is_ok(), "{item}\n  gives\n{expanded}");
    }
    if expanded.to_string().contains("compile_error !") {
        let (mut ours, mut all) = (Vec::new(), Vec::new());
        identifiers(item.clone(), &mut ours);
        identifiers(expanded.clone(), &mut all);
        let mut all = all.into_iter();
        for ident in ours {
            assert!(
                all.any(|other| other == ident),
                "{ident} is lost: {item}\n  gives\n{expanded}"
            );
        }
    }
}

/// `#[instrument_grpc]`: arguments, a line break, and an item.
pub fn attribute(input: &[u8]) {
    let Some((args, item)) = arguments_and_item(input) else { return };
    check(&item, &instrument::below_other_attributes(args.clone(), item.clone()));
    // As it is once the other attributes have run.
    check(&item, &instrument::instrument(args.clone(), item.clone()));
    check(&item, &instrument::misplaced("rpc", &item));
    // Of a method whose other attributes have run. The arguments are ours, so that those of others need not work.
    let _ = instrument::instrument_method(args, &item);
}

/// `#[instrument_grpc_client]`: arguments, a line break, and a module.
pub fn client(input: &[u8]) {
    let Some((args, item)) = arguments_and_item(input) else { return };
    check(&item, &crate::client::instrument(args, &item));
}

/// `#[derive(GrpcStatus)]`: an item.
pub fn derive(input: &[u8]) {
    let Some(item) = std::str::from_utf8(input).ok().and_then(tokens) else { return };
    let expanded = crate::derive::derive(item.clone());
    // The derive adds to its item, and the compiler lets no other one through.
    let derivable =
        matches!(syn::parse2(item), Ok(Item::Enum(_) | Item::Struct(_) | Item::Union(_)));
    assert!(!derivable || syn::parse2::<File>(expanded.clone()).is_ok(), "{expanded}");
}

/// The arguments of `#[instrument_grpc]` and of `#[rpc]`, `slo(…)` among them, above an impl without mistakes.
pub fn arguments(input: &[u8]) {
    let Some(args) = std::str::from_utf8(input).ok().and_then(tokens) else { return };
    let handler = quote! {
        async fn say_hello(&self, request: Request<A>) -> Result<Response<B>, Status> { self.greet(request) }
    };
    let plain = quote!(impl greeter_server::Greeter for MyGreeter { #handler });
    check(&plain, &instrument::instrument(args.clone(), plain.clone()));
    let with_method = quote!(impl greeter_server::Greeter for MyGreeter { #[rpc(#args)] #handler });
    check(&with_method, &instrument::instrument(TokenStream::new(), with_method.to_token_stream()));
}
