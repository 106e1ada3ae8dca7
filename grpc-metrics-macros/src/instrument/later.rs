//! Methods whose bodies are expanded after their other attributes.
//!
//! `#[tracing::instrument]` opens a span around the body that it finds. The RPC's span has to be around that one, so
//! the handler is wrapped after `#[tracing::instrument]` has expanded. Such a method gets `#[instrument_method_last]`
//! as its last attribute, with all that is known of the RPC.
//!
//! This is not done below other attributes. One that drops the attributes after it would silently remove the RPC from
//! the metrics.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Error};

use crate::instrument::body::{Body, Future, Measured, Response};
use crate::instrument::returned;
use crate::instrument::service::{self, Method};
use crate::syntax::tokens::{self, emit};

/// Whether the attribute, or one in a `cfg_attr`, is `#[tracing::instrument]`.
pub(crate) fn makes_span(attr: &Attribute) -> bool {
    let is = |ident: &str| ident == "instrument";
    let last = attr.path().segments.last();
    last.is_some_and(|last| last.ident == "instrument")
        || attr.path().is_ident("cfg_attr") && tokens::mention(attr.meta.to_token_stream(), &is)
}

/// Generates the arguments of `#[instrument_method_last]`.
pub(crate) fn args(
    response: Response,
    started: &TokenStream,
    future: &TokenStream,
    returned: Option<&TokenStream>,
) -> TokenStream {
    let response = match response {
        Response::ByType => emit!(by_type),
        Response::Stream => emit!(stream),
        Response::StreamByType => emit!(stream_by_type),
        Response::AtReturn => emit!(at_return),
    };
    emit!(#response (#started) (#future) (#returned))
}

/// Expands `#[instrument_method_last]`.
pub(crate) fn expand(args: TokenStream, item: &TokenStream) -> TokenStream {
    if let (Some(args), Some(method)) = (read(args), service::method(item.clone())) {
        return args.measure(method);
    }
    let message = "another attribute turned this method into something that `#[instrument_grpc]` can't measure: remove \
                   that attribute, or add `#[skip_metrics]`";
    let error = Error::new_spanned(item, message).into_compile_error();
    emit!(#error #item)
}

struct Args {
    response: Response,
    started: TokenStream,
    future: TokenStream,
    returned: Option<TokenStream>,
}

fn read(args: TokenStream) -> Option<Args> {
    let trees: Vec<TokenTree> = args.into_iter().collect();
    let [
        TokenTree::Ident(response),
        TokenTree::Group(started),
        TokenTree::Group(future),
        TokenTree::Group(returned),
    ] = trees.as_slice()
    else {
        return None;
    };
    Some(Args {
        response: of_name(response)?,
        started: started.stream(),
        future: future.stream(),
        returned: Some(returned.stream()).filter(|returned| !returned.is_empty()),
    })
}

fn of_name(response: &Ident) -> Option<Response> {
    match response.to_string().as_str() {
        "by_type" => Some(Response::ByType),
        "stream" => Some(Response::Stream),
        "stream_by_type" => Some(Response::StreamByType),
        "at_return" => Some(Response::AtReturn),
        _ => None,
    }
}

impl Args {
    fn measure(self, method: Method) -> TokenStream {
        let Method { attrs, vis, sig, body, .. } = method;
        let braces = body.span();
        let is_send = syn::parse2(self.future.clone()).is_ok_and(|ty| returned::is_send(&ty));
        let future = Future { ty: self.future, is_send };
        let form = Body::of(body, Some(future), self.returned, false);
        let measured = Measured {
            started: self.started,
            response: self.response,
            rebind: &TokenStream::new(),
            method: sig.ident.span(),
        };
        let body = tokens::braces(braces, measured.body(&form));
        emit!(#(#attrs)* #vis #sig #body)
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn attributes_that_make_spans() {
        let tracing: [Attribute; 5] = [
            parse_quote!(#[instrument]),
            parse_quote!(#[tracing::instrument(skip_all)]),
            parse_quote!(#[::tracing::instrument]),
            parse_quote!(#[cfg_attr(feature = "trace", tracing::instrument(err))]),
            parse_quote!(#[cfg_attr(a, cfg_attr(b, instrument))]),
        ];
        assert!(tracing.iter().all(makes_span));
        let others: [Attribute; 4] = [
            parse_quote!(#[traced]),
            parse_quote!(#[instrument::other]),
            parse_quote!(#[cfg_attr(all(), inline)]),
            parse_quote!(#[doc = "instrument"]),
        ];
        assert!(!others.iter().any(makes_span));
    }

    #[test]
    fn each_response_has_its_call() {
        let method = quote!(
            #[inline]
            pub fn first(&self) -> Out {
                Box::pin(async move { a() })
            }
        );
        let expanded = |response, returned| {
            let args = args(response, &quote!(rpc()), &quote!(Out), returned);
            expand(args, &method).to_string().split_whitespace().collect::<String>()
        };
        let answer = quote!(Answer);
        for (response, end) in [
            (Response::ByType, "__grpc::Returned::<Answer>::__GRPC_END"),
            (Response::Stream, "__grpc::at_stream_end::<Answer>()"),
            (Response::StreamByType, "__grpc::ReturnedStream::<Answer>::__GRPC_END"),
            (Response::AtReturn, "__grpc::at_return::<Answer>()"),
        ] {
            let call = format!("__grpc::measure({end},rpc(),asyncmove{{a()}})");
            let whole = format!("#[inline]pubfnfirst(&self)->Out{{Box::pin({call})}}");
            assert_eq!(expanded(response, Some(&answer)), whole);
        }
        // If only the future's type is known, that one decides.
        for (response, end) in [
            (Response::ByType, "__grpc::Returned::<Out>::__GRPC_END"),
            (Response::Stream, "__grpc::at_stream_end::<Out>()"),
            (Response::StreamByType, "__grpc::ReturnedStream::<Out>::__GRPC_END"),
            (Response::AtReturn, "__grpc::at_return::<Out>()"),
        ] {
            let by_future = expanded(response, None);
            let call = format!("__grpc::measure_future({end},__rpc,");
            assert!(by_future.contains(&call), "{by_future}");
        }
    }

    /// The item is emitted beside the error.
    #[test]
    fn an_item_that_is_not_a_method_any_more() {
        let args = || args(Response::ByType, &quote!(rpc()), &quote!(Future), None);
        for item in [
            quote!(
                const A: u8 = 1;
            ),
            quote!(
                fn first(&self);
            ),
            quote!(),
        ] {
            let expanded = expand(args(), &item).to_string();
            assert!(expanded.contains("compile_error"), "{expanded}");
            assert!(expanded.ends_with(&item.to_string()), "{expanded}");
        }
        let method = quote!(
            fn first(&self) {}
        );
        for wrong in [quote!(), quote!(elsewhere(rpc())(Future)()), quote!(stream(rpc())())] {
            assert!(expand(wrong, &method).to_string().contains("compile_error"));
        }
        assert!(!expand(args(), &method).to_string().contains("compile_error"));
    }
}
