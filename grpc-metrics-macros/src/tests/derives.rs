//! Which input the derive accepts.

use proc_macro2::TokenStream;
use quote::quote;

fn derived(item: TokenStream) -> String {
    crate::derive::derive(item).to_string().split_whitespace().collect()
}

fn is_wrong(item: TokenStream) -> bool {
    derived(item).contains("compile_error")
}

#[test]
fn lifetimes_that_a_source_may_have() {
    assert!(is_wrong(quote!(
        #[status(NotFound)]
        struct Gone<'a>(&'a str);
    )));
    assert!(is_wrong(quote!(
        #[status(NotFound)]
        struct Gone<'a: 'b, 'b: 'static>(&'a str, &'b str);
    )));
    assert!(!is_wrong(quote!(
        #[status(NotFound)]
        struct Gone<'a: 'static>(&'a str);
    )));
}

#[test]
fn causes_may_be_shared_if_written() {
    for (one, other, is_clash) in [
        (quote!(NotFound), quote!(NotFound), true),
        (quote!(NotFound, cause = "web"), quote!(NotFound, cause = "web"), false),
        (quote!(NotFound, cause = "http"), quote!(NotFound), false),
    ] {
        let item = quote!(
            enum Web {
                #[status(#one)]
                HTTP,
                #[status(#other)]
                Http,
            }
        );
        assert_eq!(is_wrong(item.clone()), is_clash, "{item}");
    }
}

#[test]
fn a_raw_name_gives_a_plain_cause() {
    let derived = derived(quote!(
        enum Web {
            #[status(NotFound)]
            r#Match,
        }
    ));
    assert!(derived.contains(r#"NotFound,"match""#), "{derived}");
}

#[test]
fn a_type_without_values_has_no_status() {
    let derived = derived(quote!(
        enum Never {}
    ));
    assert!(derived.contains("match*self{}") && derived.contains("matchself{}"), "{derived}");
}

/// A wrong path is replaced by the default, and the impls call nothing.
#[test]
fn the_runtimes_path() {
    for (path, used, is_good) in [
        (quote!(::kit::rt), "use::kit::rt::__privateas__grpc", true),
        (quote!(kit::rt), "use::grpc_metrics_runtime::__privateas__grpc", false),
    ] {
        let derived = derived(quote!(
            #[status(NotFound, crate = #path)]
            struct Gone;
        ));
        assert!(derived.contains(used), "{derived}");
        assert_eq!(!derived.contains("__grpc::wrong_derive()"), is_good, "{derived}");
    }
}
