//! Names and kinds in the descriptors.

use proc_macro2::TokenStream;
use quote::quote;

fn expanded(item: TokenStream) -> String {
    let expanded = crate::instrument::instrument(TokenStream::new(), item).to_string();
    assert!(!expanded.contains("compile_error"), "{expanded}");
    expanded.split_whitespace().collect()
}

#[test]
fn labels_of_services() {
    for (trait_, label) in [
        (quote!(Greeter), r#""Greeter""#),
        (quote!(r#Greeter), r#""Greeter""#),
        (quote!(Greeter<u8>), r#""Greeter""#),
        (quote!(greeter_server::Greeter), "greeter_server::SERVICE_NAME"),
        (quote!(::kit::r#greeter_server::Greeter<u8>), "::kit::r#greeter_server::SERVICE_NAME"),
        (quote!(greeter_server_v2::Greeter), r#""Greeter""#),
        (quote!(server::Greeter), r#""Greeter""#),
        (quote!(greeter_server::inner::Greeter), r#""Greeter""#),
    ] {
        let expanded = expanded(quote!(impl #trait_ for MyGreeter {}));
        assert!(
            expanded.contains(&format!("__SERVICE:&::core::primitive::str={label};")),
            "{trait_}: {expanded}"
        );
    }
}

#[test]
fn names_of_raw_methods() {
    let expanded = expanded(quote! {
        impl Greeter for MyGreeter {
            async fn r#move(&self, request: Request<A>) -> Result<Response<B>, Status> { a }
            type TYPEStream = A;
            async fn r#type(&self, request: Request<A>) -> Result<Response<A>, Status> { a }
        }
    });
    assert!(
        expanded.contains(r#"static__RPC_move:__grpc::Method=__grpc::method(__SERVICE,"Move","#),
        "{expanded}"
    );
    assert!(
        expanded.contains(r#"static__RPC_type:__grpc::Method=__grpc::method(__SERVICE,"TYPE","#),
        "{expanded}"
    );
    assert!(expanded.contains("typeTYPEStream=<Aas__grpc::StreamType<"), "{expanded}");
}

/// The inventory names the skipped RPCs, so that a layer around the service skips them, too.
#[test]
fn names_of_skipped_methods() {
    let expanded = expanded(quote! {
        impl Greeter for MyGreeter {
            #[skip_metrics]
            async fn say_hello(&self, request: Request<A>) -> Result<Response<B>, Status> { a }
            #[skip_metrics]
            #[rpc(name = "GetKV")]
            async fn get_kv(&self, request: Request<A>) -> Result<Response<B>, Status> { a }
            type FetchURLStream = A;
            #[cfg(a)]
            #[skip_metrics]
            #[inline]
            async fn fetch_url(&self, request: Request<A>) -> Result<Response<Self::FetchURLStream>, Status> { a }
            #[skip_metrics]
            async fn r#move(&self, request: Request<A>) -> Result<Response<B>, Status> { a }
            async fn greet(&self, request: Request<A>) -> Result<Response<B>, Status> { a }
        }
    });
    let skipped =
        r#"&[&__RPC_greet]).with_skipped(&["SayHello","GetKV",#[cfg(a)]"FetchURL","Move"])"#;
    assert!(expanded.contains(skipped), "{expanded}");
}

#[test]
fn no_names_where_nothing_is_skipped() {
    let expanded = expanded(quote! {
        impl Greeter for MyGreeter {
            async fn greet(&self, request: Request<A>) -> Result<Response<B>, Status> { a }
        }
    });
    assert!(!expanded.contains("with_skipped"), "{expanded}");
}

/// A static outside the impl can't name the impl's parameters.
#[test]
fn kinds_of_types_with_parameters() {
    for (request, is_nameable) in [
        (quote!(Request<A>), true),
        (quote!(Request<A<'a>>), true),
        (quote!(Request<A<3>>), true),
        (quote!(Request<A<N>>), false),
        (quote!(Request<[A; N]>), false),
        (quote!(Request<T>), false),
        (quote!(Request<T::Item>), false),
        (quote!(Request<Self::Item>), false),
        (quote!(Request<Own>), false),
    ] {
        let expanded = expanded(quote! {
            impl<'a, T, const N: usize> Greeter for MyGreeter<'a, T, N> {
                async fn greet<Own>(&self, request: #request) -> Result<Response<B>, Status> { a }
            }
        });
        let (statics, _) = expanded.split_once("submit!").expect("the inventory's entry");
        assert_eq!(statics.contains("Argument::<"), is_nameable, "{request}: {statics}");
    }
}

/// The kind follows from the type's name if a constant can't inspect the type.
#[test]
fn kinds_by_name() {
    for (argument, returned, streams) in [
        (quote!(Request<T>), quote!(Result<Response<T>, Status>), "false,false"),
        (quote!(Request<Streaming<T>>), quote!(Result<Response<T>, Status>), "true,false"),
        (quote!(Request<T>), quote!(Result<Response<BoxStream<T>>, Status>), "false,true"),
        (
            quote!(Request<T>),
            quote!(Result<Response<Pin<Box<dyn Stream<Item = T>>>>, Status>),
            "false,true",
        ),
    ] {
        let expanded = expanded(quote! {
            impl<T> Greeter for MyGreeter<T> {
                async fn greet(&self, request: #argument) -> #returned { a }
            }
        });
        assert!(expanded.contains(&format!(r#""Greet",{streams})"#)), "{expanded}");
    }
}

/// A future that a constant can't inspect counts as one without a stream.
#[test]
fn kinds_of_futures_with_parameters() {
    let expanded = expanded(quote! {
        impl<T> Greeter for MyGreeter<T> {
            fn greet<'a>(&'a self, request: Request<A>) -> BoxFuture<'a, T> { a }
        }
    });
    let argument = "__grpc::Argument::<Request<A>>::__GRPC_STREAMS";
    assert!(expanded.contains(&format!(r#""Greet",{argument},false)"#)), "{expanded}");
}

/// The static may name deprecated types if the method may.
#[test]
fn deprecated_types_are_allowed_as_written() {
    for (of_impl, of_method, allowed) in [
        (quote!(), quote!(), false),
        (quote!(#[allow(deprecated)]), quote!(), true),
        (quote!(), quote!(#[allow(deprecated)]), true),
        (quote!(), quote!(#[expect(deprecated)]), true),
        (quote!(), quote!(#[allow(warnings)]), true),
        (quote!(), quote!(#[allow(unused)]), false),
        (quote!(), quote!(#[warn(deprecated)]), false),
    ] {
        let expanded = expanded(quote! {
            #of_impl
            impl Greeter for MyGreeter {
                #of_method
                async fn greet(&self, request: Request<A>) -> Result<Response<B>, Status> { a }
            }
        });
        let is_allowed = expanded.contains("#[allow(deprecated)]static__RPC_greet");
        assert_eq!(is_allowed, allowed, "{expanded}");
    }
}

/// A visibility is not allowed here, and the compiler reports it.
#[test]
fn a_visibility_stays() {
    let expanded = expanded(quote! {
        impl Greeter for MyGreeter {
            pub async fn greet(&self, request: Request<A>) -> Result<Response<B>, Status> { a }
        }
    });
    assert!(expanded.contains("pubasyncfngreet"), "{expanded}");
}

/// Two methods under opposite `#[cfg]`s have a stream type each, with a name of its own.
#[test]
fn stream_types_of_alternatives() {
    let expanded = expanded(quote! {
        impl Greeter for MyGreeter {
            type First = A;
            type Second = B;
            #[cfg(a)]
            async fn watch(&self, request: Request<A>) -> Result<Response<Self::First>, Status> { a }
            #[cfg(not(a))]
            async fn watch(&self, request: Request<A>) -> Result<Response<Self::Second>, Status> { a }
        }
    });
    for wrapped in ["typeFirst=<Aas__grpc::StreamType<", "typeSecond=<Bas__grpc::StreamType<"] {
        assert!(expanded.contains(wrapped), "no {wrapped} in: {expanded}");
    }
}
