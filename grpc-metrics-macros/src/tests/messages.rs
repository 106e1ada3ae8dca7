//! Checks the messages of the cases in `tests/ui/fail` without a compiler. `trybuild` takes minutes for that.

use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{File, Item};

use super::Case;

/// Messages of other macros and of the compiler.
const NOT_OURS: [&str; 4] = [
    "`#[skip_metrics]` is only allowed",
    "`#[rpc]` is only allowed",
    "another attribute turned this method",
    "future cannot be sent between threads",
];

/// Expands until no attribute is left.
fn expand(item: Item, found: &mut Vec<String>) {
    let methods = match &item {
        Item::Impl(impl_) => impl_.items.clone(),
        _ => Vec::new(),
    };
    let Some(case) = Case::of(item) else {
        let items = methods.into_iter().map(|method| syn::parse2(method.into_token_stream()));
        items.flatten().for_each(|method| expand(method, found));
        return;
    };
    let expanded = case.expand();
    collect(expanded.clone(), found);
    let items = syn::parse2::<File>(expanded).map(|file| file.items);
    items.into_iter().flatten().for_each(|item| expand(item, found));
}

fn collect(tokens: TokenStream, found: &mut Vec<String>) {
    let mut is_error = false;
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) => is_error = ident == "compile_error",
            TokenTree::Group(group) if is_error => {
                let message = syn::parse2::<syn::LitStr>(group.stream()).expect("a message");
                found.push(without_spaces(&message.value()));
                is_error = false;
            }
            TokenTree::Group(group) => collect(group.stream(), found),
            _ => {}
        }
    }
}

/// Outside a compiler, tokens are formatted with more spaces.
fn without_spaces(message: &str) -> String {
    message.split_whitespace().collect()
}

#[test]
fn messages_are_as_blessed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui/fail");
    let files = fs::read_dir(folder).expect("the cases").map(|file| file.expect("a case").path());
    for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
        let case = path.display();
        let read = |path: &Path| {
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{case}: {error}"))
        };
        let file: File =
            syn::parse_str(&read(&path)).unwrap_or_else(|error| panic!("{case}: {error}"));
        let mut found = Vec::new();
        file.items.into_iter().for_each(|item| expand(item, &mut found));
        let blessed = read(&path.with_extension("stderr"));
        let blessed = blessed.lines().filter_map(|line| line.strip_prefix("error: "));
        let ours = blessed.filter(|line| !NOT_OURS.iter().any(|start| line.starts_with(start)));
        let mut ours: Vec<String> = ours.map(without_spaces).collect();
        found.sort();
        ours.sort();
        assert_eq!(found, ours, "{case}");
    }
}
