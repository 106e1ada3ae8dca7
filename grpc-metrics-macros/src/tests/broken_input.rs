//! Half-typed code, as an editor sends it. Nothing panics, and input that parses has an expansion that parses.

use std::path::Path;
use std::{env, fs, panic};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{File, Item};

use super::Case;

/// All items under our macros in the tests that compile.
fn cases() -> Vec<Case> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let folders = [
        "ui/pass",
        "shapes",
        "facade",
        "facade-user",
        "real_services",
        "own_errors",
        // Has the clients.
        "../grpc-metrics-macros/expansions/input",
    ];
    let sources = folders.iter().flat_map(|folder| {
        fs::read_dir(tests.join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"))
    });
    let sources = sources.filter_map(|entry| Some(entry.ok()?.path()));
    let files = sources.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut cases = Vec::new();
    for path in files {
        let source = fs::read_to_string(&path).expect("a source file");
        let file: File =
            syn::parse_str(&source).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        collect(file.items, &mut cases);
    }
    cases
}

fn collect(items: Vec<Item>, cases: &mut Vec<Case>) {
    for item in items {
        match item {
            Item::Mod(module) if !module.attrs.iter().any(super::is_own) => {
                collect(module.content.map_or(Vec::new(), |(_, items)| items), cases);
            }
            Item::Impl(mut impl_) => {
                // As written, and as it is after all other attributes have run.
                cases.extend(Case::of(Item::Impl(impl_.clone())));
                let own = impl_.attrs.iter().position(super::is_own);
                if let Some(own) = own {
                    let own = impl_.attrs.remove(own);
                    impl_.attrs.push(own);
                    cases.extend(Case::of(Item::Impl(impl_)));
                }
            }
            item => cases.extend(Case::of(item)),
        }
    }
}

fn parses(tokens: &TokenStream) -> bool {
    syn::parse2::<File>(tokens.clone()).is_ok()
}

/// Empties the bodies of methods, since a half-typed body does not parse.
fn without_bodies(tokens: TokenStream) -> TokenStream {
    let mut in_impl = false;
    let map = |tree: TokenTree| match tree {
        TokenTree::Ident(ident) => {
            in_impl |= ident == "impl";
            ident.into()
        }
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && in_impl => {
            in_impl = false;
            let items = group.stream().into_iter().map(|tree| match tree {
                TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                    Group::new(Delimiter::Brace, TokenStream::new()).into()
                }
                tree => tree,
            });
            Group::new(Delimiter::Brace, items.collect()).into()
        }
        TokenTree::Group(group) => {
            Group::new(group.delimiter(), without_bodies(group.stream())).into()
        }
        tree => tree,
    };
    tokens.into_iter().map(map).collect()
}

fn check(case: &Case) {
    let expand = || case.expand();
    let expanded = panic::catch_unwind(panic::AssertUnwindSafe(expand));
    let input = format!("#[instrument_grpc({})] {}", case.args, case.item);
    let Ok(expanded) = expanded else {
        panic!("a panic on {input}");
    };
    assert!(!parses(&case.item) || parses(&expanded), "{input}\n  gives\n{expanded}");
    let (item, expanded) = (without_bodies(case.item.clone()), without_bodies(expanded));
    assert!(!parses(&item) || parses(&expanded), "{input}\n  gives\n{expanded}");
}

/// A pseudorandom generator with a fixed seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % end.max(1)
    }

    /// Deletes, doubles or swaps a token somewhere in the tree.
    fn mutate(&mut self, tokens: &TokenStream) -> TokenStream {
        let mut trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
        if trees.is_empty() {
            return TokenStream::new();
        }
        let at = self.below(trees.len());
        // Mostly down into groups, which is where most tokens are.
        if let TokenTree::Group(group) = &trees[at]
            && self.below(8) > 0
        {
            trees[at] = Group::new(group.delimiter(), self.mutate(&group.stream())).into();
            return trees.into_iter().collect();
        }
        match self.below(3) {
            0 => drop(trees.remove(at)),
            1 => trees.insert(at, trees[at].clone()),
            _ => {
                let next = (at + 1) % trees.len();
                trees.swap(at, next);
            }
        }
        trees.into_iter().collect()
    }
}

/// `FUZZ_ROUNDS=100000 cargo test -p grpc-metrics-macros` tries harder.
#[test]
fn mutated_items_never_panic_and_parse_if_they_did() {
    let rounds = env::var("FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let cases = cases();
    assert!(cases.len() > 50, "only {} items found", cases.len());
    cases.iter().for_each(check);
    let mut random = Random(0x5EED_0F6E_7A11_D00D);
    for _ in 0..rounds.unwrap_or(4_000) {
        let case = &cases[random.below(cases.len())];
        let mut mutated = case.clone();
        for _ in 0..=random.below(3) {
            if random.below(6) == 0 {
                mutated.args = random.mutate(&mutated.args);
            } else {
                mutated.item = random.mutate(&mutated.item);
            }
        }
        check(&mutated);
    }
}

#[test]
fn half_typed_bodies_survive() {
    let expand = |body: TokenStream| {
        let item = quote! {
            impl Greeter for MyGreeter {
                async fn say_hello(&self, request: Request<A>) -> Result<Response<B>, Status> { #body }
            }
        };
        crate::instrument::instrument(TokenStream::new(), item).to_string()
    };
    // There is no error of ours, and the expansion has the typed tokens, for the editor's completion.
    for (body, kept) in [
        (quote!(let x = request.), "let x = request ."),
        (quote!(self.store.get(request.)), "request ."),
        (quote!(match x { Some(y) => }), "Some (y) =>"),
        (quote!(Ok(Response::new(B { name: }))), "name :"),
        (quote!(let a =), "let a ="),
    ] {
        let expanded = expand(body);
        assert!(!expanded.contains("compile_error"), "{expanded}");
        assert!(expanded.contains(kept), "{kept} in {expanded}");
    }
}

#[test]
fn half_typed_arguments_leave_the_item() {
    let item = || {
        quote! {
            impl Greeter for MyGreeter {
                #[skip_metrics]
                async fn say_hello(&self, request: Request<A>) -> Result<Response<B>, Status> { self.greet(request) }
            }
        }
    };
    for args in [
        quote!(s),
        quote!(service),
        quote!(service =),
        quote!(service = greeter_server::),
        quote!(service = "a",,),
        quote!(, service = "a"),
        quote!(metrics = self.),
        quote!(crate = ),
        quote!(crate = ::),
        quote!(streams = f),
        quote!("service"),
        quote!(service: "a"),
    ] {
        let expanded = crate::instrument::instrument(args.clone(), item()).to_string();
        assert!(expanded.contains("compile_error"), "{args}: {expanded}");
        assert!(expanded.contains("async fn say_hello"), "{args}: {expanded}");
        assert!(!expanded.contains("skip_metrics"), "{args}: {expanded}");
        let parsed = syn::parse_str::<File>(&expanded).map(ToTokens::into_token_stream);
        assert!(parsed.is_ok(), "{args}: {expanded}");
    }
}
