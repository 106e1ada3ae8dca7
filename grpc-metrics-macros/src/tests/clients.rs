//! Which modules `#[instrument_grpc_client]` recognises.

use std::fmt::Write as _;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Item, LitStr};

const MODULE: &str = r#"
mod greeter_client {
    #![allow(dead_code)]
    use tonic::codegen::*;
    struct GreeterClient<T> { inner: tonic::client::Grpc<T> }
    impl<T> GreeterClient<T> {
        fn new(inner: T) -> Self {
            let inner = tonic::client::Grpc::new(inner);
            Self { inner }
        }
        async fn say_hello(&mut self, request: R) -> Result<A, Status> {
            let codec = Codec::default();
            let mut req = request.into_request();
            req.extensions_mut().insert(GrpcMethod::new("pkg.Greeter", "SayHello"));
            self.inner.unary(req, path, codec).await
        }
        async fn watch(&mut self, request: R) -> Result<A, Status> {
            let codec = Codec::default();
            let mut req = request.into_request();
            req.extensions_mut().insert(GrpcMethod::new("pkg.Greeter", "Watch"));
            self.inner.streaming(req, path, codec).await
        }
    }
}
"#;

fn expand(args: TokenStream, module: &str) -> String {
    let module: TokenStream = module.parse().expect("tokens");
    crate::client::instrument(args, &module).to_string()
}

fn tokens(source: &str) -> String {
    source.parse::<TokenStream>().expect("tokens").to_string()
}

#[test]
fn a_module_is_measured_as_a_whole_or_not_at_all() {
    for (written, other, unknown) in [
        ("Grpc<T>", "Sender<T>", "a struct with a field `inner: tonic::client::Grpc<T>`"),
        ("inner: tonic", "sender: tonic", "a struct with a field `inner: tonic::client::Grpc<T>`"),
        ("Grpc<T>", "Grpc", "a struct with a field `inner: tonic::client::Grpc<T>`"),
        (
            "impl<T> GreeterClient<T> {",
            "struct OtherClient<T> { inner: Grpc<T> } impl<T> GreeterClient<T> {",
            "which of `GreeterClient` and `OtherClient` is the client",
        ),
        ("let inner = tonic::client::Grpc::new(inner);", "", "a constructor of `GreeterClient`"),
        (
            "let inner = tonic::client::Grpc::new(inner);",
            "let inner = Grpc::of(inner);",
            "the method `new`",
        ),
        ("Self { inner }", "Self { inner: Grpc::new(inner) }", "the method `new`"),
        ("fn new(inner: T)", "fn new(inner: Grpc<T>)", "the method `new`"),
        ("async fn say_hello", "fn say_hello", "the method `say_hello`"),
        ("(\"pkg.Greeter\", \"SayHello\")", "(SERVICE, \"SayHello\")", "the method `say_hello`"),
        ("(\"pkg.Greeter\", \"SayHello\")", "(\"pkg.Greeter\")", "the method `say_hello`"),
        (".inner.unary", ".inner.once", "the method `say_hello`"),
        ("self.inner.unary", "self.other.unary", "the method `say_hello`"),
        ("self.inner.unary", "other.inner.unary", "the method `say_hello`"),
        ("unary(req, path, codec)", "unary(req, path)", "the method `say_hello`"),
        (
            "unary(req, path, codec).await",
            "unary(req, path, codec).await?",
            "the method `say_hello`",
        ),
        ("async fn watch", "async fn close(self) {} async fn watch", "the method `close`"),
        (
            "let codec = Codec::default();",
            "let mut other = Grpc::new(service); let codec = Codec::default();",
            "the method `say_hello`",
        ),
        ("fn new", "const A: Grpc<u8> = B; fn new", "the use of `Grpc` beside methods"),
        (
            "impl<T> GreeterClient<T> {",
            "impl<T> From<Grpc<T>> for GreeterClient<T> {} impl<T> GreeterClient<T> {",
            "the use of `Grpc` beside `GreeterClient`",
        ),
        ("use tonic::codegen::*;", "use tonic::codegen::* as all;", "its syntax"),
    ] {
        let module = MODULE.replacen(written, other, 1);
        assert_ne!(module, MODULE, "{written}");
        let mut expected = module.trim_end().strip_suffix('}').expect("a module").to_owned();
        let _ = write!(
            expected,
            "const _: () = {{ ::grpc_metrics_runtime::__private::submit! {{
                ::grpc_metrics_runtime::__private::unmeasured_client(\"greeter_client\", {unknown:?})
            }} }}; }}"
        );
        assert_eq!(expand(quote!(), &module), tokens(&expected), "{other}");
    }
}

#[test]
fn a_client_is_recognised_by_what_it_does() {
    for (written, other) in [
        ("struct", "struct"),
        ("tonic::client::Grpc<T>", "Grpc<T>"),
        ("use tonic::codegen::*;", "use tonic::client::Grpc;"),
        ("let inner = tonic::client::Grpc", "let inner = Grpc"),
        ("Grpc::new(inner)", "Grpc::with_origin(inner, origin)"),
        ("let codec = Codec::default();", ""),
        ("path, codec)", "path, Codec::default())"),
        ("impl<T> GreeterClient<T> {", "fn helper() {} impl<T> GreeterClient<T> {"),
        ("async fn watch", "async fn connect() -> Self { new() } async fn watch"),
        ("async fn watch", "} impl<T> GreeterClient<T> { async fn watch"),
    ] {
        let expanded = expand(quote!(), &MODULE.replacen(written, other, 1));
        assert!(!expanded.contains("unmeasured_client"), "{other}: {expanded}");
        for (part, times) in
            [("client_call", 2), ("ClientService", 1), ("client_service", 1), ("client_codec", 1)]
        {
            assert_eq!(
                expanded.matches(&format!(":: {part} ")).count(),
                times,
                "{part}: {expanded}"
            );
        }
    }
}

#[test]
fn the_runtimes_path_is_as_seen_from_outside() {
    for (given, inside) in [
        (quote!(::kit::metrics), quote!(::kit::metrics::__private)),
        (quote!(crate::metrics), quote!(crate::metrics::__private)),
        (quote!(self::metrics), quote!(super::metrics::__private)),
        (quote!(super::metrics), quote!(super::super::metrics::__private)),
    ] {
        let expanded = expand(quote!(crate = #given), MODULE);
        assert!(expanded.contains(&format!("< {inside} :: ClientService < T >")), "{expanded}");
    }
}

/// The errors' messages, and whether the item is still there.
fn errors(args: TokenStream, item: &str) -> Vec<String> {
    let expanded = expand(args, item);
    let expanded = expanded.strip_suffix(&tokens(item)).expect("the item as written");
    let file: syn::File = syn::parse_str(expanded).expect("errors");
    let messages = file.items.into_iter().map(|item| match item {
        Item::Macro(error) => error.mac.parse_body::<LitStr>().expect("a message").value(),
        item => panic!("{}", item.into_token_stream()),
    });
    messages.collect()
}

#[test]
fn other_items_are_errors() {
    for (item, named) in [
        ("mod greeter_client;", "this `mod` without `{ … }`"),
        ("#[a] pub mod greeter_client;", "this `mod` without `{ … }`"),
        ("enum Never {}", "this `enum`"),
        ("impl Greeter for A {}", "this `impl`"),
        ("macro_rules! a { () => {} }", "this item"),
        ("mod", "this `mod`"),
        ("", "this item"),
    ] {
        let message = format!(
            "`#[instrument_grpc_client]` can't be applied to {named}: it belongs above the client modules that tonic \
             generates, so write `.client_mod_attribute(\".\", \
             \"#[::grpc_metrics_runtime::instrument_grpc_client]\")` in build.rs"
        );
        assert_eq!(errors(quote!(), item), [message], "{item}");
    }
}

#[test]
fn a_second_attribute_is_an_error() {
    let item = "#[::kit::instrument_grpc_client(target = \"a\")] mod greeter_client {}";
    let message = "`#[instrument_grpc_client]` is given twice: remove one";
    assert_eq!(errors(quote!(), item), [message]);
}
