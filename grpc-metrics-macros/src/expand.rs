//! From the plan to tokens. Calls only: what they do is in the runtime.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{ImplItem, ImplItemType};

use crate::plan::{Form, Item, Plan, Response, Rpc, Streams};
use crate::streams::cfgs;

/// Like `quote!`, with names that the user's code can't see.
macro_rules! emit {
    ($($tokens:tt)*) => { quote_spanned!(Span::mixed_site()=> $($tokens)*) };
}

/// Writes out the impl, its descriptors beside it in a scope of their own.
pub(crate) fn expand(plan: &Plan) -> TokenStream {
    let Plan {
        runtime,
        label,
        implementation,
        aliases,
        ..
    } = plan;
    let rpcs = plan.items.iter().filter_map(|item| {
        if let Item::Rpc(rpc) = item {
            Some(&**rpc)
        } else {
            None
        }
    });
    let descriptors = rpcs.clone().map(descriptor);
    let listed = rpcs.map(
        |Rpc {
             attrs, descriptor, ..
         }| {
            let cfgs = cfgs(attrs);
            emit!(#(#cfgs)* &#descriptor)
        },
    );
    let chooses_instance = plan.metrics.is_some();
    let items = plan.items.iter().map(|item| match item {
        Item::AsWritten(tokens) => tokens.clone(),
        Item::Stream(item) => stream_type(item),
        Item::Rpc(rpc) => method(plan, rpc),
    });
    let mut head = plan.head.clone();
    head.items = vec![ImplItem::Verbatim(items.collect())];
    let cfgs = cfgs(&head.attrs);
    emit! {
        #(#cfgs)*
        const _: () = {
            #[allow(unused_imports)]
            use #runtime::__private::{self as __grpc_metrics, ReturnsMessage as _, TakesMessage as _};

            const __SERVICE: &::core::primitive::str = #label;
            #aliases
            #(#descriptors)*
            __grpc_metrics::submit! {
                __grpc_metrics::Service {
                    name: __SERVICE,
                    implementation: #implementation,
                    file: __grpc_metrics::file!(),
                    line: __grpc_metrics::line!(),
                    chooses_instance: #chooses_instance,
                    methods: &[#(#listed),*],
                }
            }

            #head
        };
    }
}

fn descriptor(rpc: &Rpc) -> TokenStream {
    let Rpc {
        attrs,
        descriptor,
        name,
        ..
    } = rpc;
    let cfgs = cfgs(attrs);
    let client_streams = match &rpc.client_streams {
        Streams::Known(known) => emit!(#known),
        Streams::Type(argument) => emit!(__grpc_metrics::Argument::<#argument>::STREAMS),
    };
    let server_streams = match &rpc.server_streams {
        Streams::Known(known) => emit!(#known),
        Streams::Type(returned) => emit!(__grpc_metrics::Returned::<#returned>::STREAMS),
    };
    emit! {
        #(#cfgs)*
        static #descriptor: __grpc_metrics::Method = __grpc_metrics::Method::new(
            __SERVICE,
            #name,
            __grpc_metrics::MethodKind::new(#client_streams, #server_streams),
        );
    }
}

fn stream_type(item: &ImplItemType) -> TokenStream {
    let mut item = item.clone();
    let ty = item.ty;
    item.ty = syn::Type::Verbatim(emit!(__grpc_metrics::ResponseStream<#ty>));
    emit!(#item)
}

fn method(plan: &Plan, rpc: &Rpc) -> TokenStream {
    let Rpc {
        attrs,
        vis,
        sig,
        descriptor,
        request,
        returned,
        ..
    } = rpc;
    let started = match &plan.metrics {
        None => emit!(__grpc_metrics::rpc(&#descriptor, &#request)),
        Some(metrics) => emit!(__grpc_metrics::rpc_in(&#metrics, &#descriptor, &#request)),
    };
    let instrument = match rpc.response {
        Response::ByType => emit!(__grpc_metrics::Returned::<#returned>::instrument),
        Response::Stream => emit!(__grpc_metrics::streaming),
        Response::AtReturn => emit!(__grpc_metrics::until_return),
    };
    let body = match &rpc.form {
        Form::Boxed {
            before,
            block,
            keep_async: false,
        } => {
            emit!({ #before(#instrument(#started, #block)) })
        }
        Form::Boxed {
            before,
            block,
            keep_async: true,
        } => {
            emit!({ #before(async move { #instrument(#started, #block).await }) })
        }
        Form::Async(body) => emit!({
            #instrument(#started, async move {
                // Pins the type for `return`, `?` and coercions, as the signature of an `async fn` does.
                if let __grpc_metrics::Option::Some(__ret) = __grpc_metrics::Option::None::<#returned> {
                    return __ret;
                }
                let __ret: #returned = #body;
                #[allow(unreachable_code)]
                __ret
            })
            .await
        }),
        Form::Future(body, ty) => emit!({
            let __rpc = #started;
            __grpc_metrics::Box::pin(#instrument(__rpc, (move || -> #ty { #body })()))
        }),
    };
    emit!(#(#attrs)* #vis #sig #body)
}
