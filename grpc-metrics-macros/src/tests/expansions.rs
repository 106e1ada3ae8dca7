//! Snapshots that show a reviewer how a change affects users' code. `expansions/input/*.rs` are expanded to
//! `expansions/*.rs`.
//!
//! `UPDATE_EXPANSIONS=1 cargo test -p grpc-metrics-macros` updates them.

use std::path::{Path, PathBuf};
use std::{env, fs};

use proc_macro2::TokenStream;
use syn::File;

use super::Case;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("expansions")
}

fn case(name: &str) -> Case {
    let path = folder().join("input").join(name);
    let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let file: File = syn::parse_str(&source).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let case = file.items.into_iter().find_map(Case::of);
    case.unwrap_or_else(|| panic!("{path:?} has none of our macros"))
}

fn pretty(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("the expansion parses"))
}

#[test]
fn expansions_are_as_reviewed() {
    let update = env::var_os("UPDATE_EXPANSIONS").is_some();
    let mut differing = Vec::new();
    let inputs = fs::read_dir(folder().join("input")).expect("the inputs");
    for input in inputs {
        let name = input.expect("an input").file_name();
        let expanded = pretty(case(&name.to_string_lossy()).expand());
        let path = folder().join(&name);
        if update {
            fs::write(&path, expanded).expect("a place to write");
        } else if fs::read_to_string(&path).unwrap_or_default() != expanded {
            differing.push(name);
        }
    }
    assert!(differing.is_empty(), "{differing:?} expand to something else; see UPDATE_EXPANSIONS");
}

#[test]
fn every_expansion_has_its_input() {
    for expansion in fs::read_dir(folder()).expect("the expansions") {
        let name = expansion.expect("an expansion").file_name();
        assert!(name == "input" || folder().join("input").join(&name).exists(), "{name:?}");
    }
}

/// The number of lines that the attribute adds to an impl with one method.
#[test]
fn a_unary_method_costs_at_most_25_lines() {
    let case = case("unary.rs");
    let lines = |tokens: TokenStream| pretty(tokens).lines().count();
    let added = lines(case.expand()) - lines(case.item);
    assert!(added <= 25, "{added} lines");
}
