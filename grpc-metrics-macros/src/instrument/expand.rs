//! Expands the plan. The expansion has calls only; the logic is in the runtime.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::{Attribute, ImplItem, ImplItemType};

use crate::instrument::body::{Measured, Response};
use crate::instrument::later;
use crate::instrument::plan::{Form, Item, Latency, Objectives, Plan, Rpc, Streams};
use crate::instrument::streams::cfgs;
use crate::syntax::tokens::{self, emit};

/// Generates the impl and its descriptors, in a scope of their own.
pub(crate) fn expand(plan: &Plan) -> TokenStream {
    let Plan { runtime, label, implementation, .. } = plan;
    let rpcs = plan.items.iter().filter_map(Item::as_rpc);
    let descriptors = rpcs.clone().map(descriptor);
    let listed = rpcs.map(|Rpc { attrs, descriptor, .. }| {
        let cfgs = cfgs(attrs);
        emit!(#(#cfgs)* &#descriptor)
    });
    let chooses_instance = plan.metrics.is_some();
    let macro_calls = setter(&emit!(with_macro_calls), &plan.macro_calls);
    let skipped = setter(&emit!(with_skipped), &plan.skipped);
    let mut place = plan.is_named_after_trait.then(|| place_in_trait(plan));
    let items = plan.items.iter().map(|item| match item {
        Item::AsWritten(tokens) => tokens.clone(),
        Item::Stream(item, is_free) => stream_type(item, *is_free),
        // Only in a method that no `#[cfg]` can remove.
        Item::Rpc(rpc) if cfgs(&rpc.attrs).is_empty() => method(plan, rpc, place.take().as_ref()),
        Item::Rpc(rpc) => method(plan, rpc, None),
    });
    let mut head = plan.head.clone();
    head.items = vec![ImplItem::Verbatim(items.collect())];
    let cfgs = cfgs(&head.attrs);
    emit! {
        #(#cfgs)*
        const _: () = {
            use #runtime::__private::{
                self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
                TakesMessage as _,
            };

            const __SERVICE: &::core::primitive::str = #label;
            #(#descriptors)*
            __grpc::submit! {
                __grpc::service(__SERVICE, #implementation, #chooses_instance, &[#(#listed),*])
                    #macro_calls #skipped
            }
            #head
        };
    }
}

/// Generates the builder call for a list whose elements have `#[cfg]`s, or nothing for an empty list.
fn setter(name: &TokenStream, list: &[(Vec<Attribute>, impl ToTokens)]) -> Option<TokenStream> {
    let elements = list.iter().map(|(cfgs, element)| emit!(#(#cfgs)* #element));
    (!list.is_empty()).then(|| emit!(.#name(&[#(#elements),*])))
}

fn descriptor(rpc: &Rpc) -> TokenStream {
    let Rpc { attrs, descriptor, name, .. } = rpc;
    let cfgs = cfgs(attrs);
    let allow = rpc.allows_deprecated.then(|| emit!(#[allow(deprecated)]));
    let streams = |streams: &Streams, look_at: TokenStream| match streams {
        Streams::Known(known) => emit!(#known),
        Streams::Type(ty) => emit!(__grpc::#look_at::<#ty>::__GRPC_STREAMS),
    };
    let client_streams = streams(&rpc.client_streams, emit!(Argument));
    let server_streams = streams(&rpc.server_streams, emit!(Returned));
    let until_return = matches!(rpc.response, Response::AtReturn).then(|| emit!(.until_return()));
    let without_span = (!rpc.has_span).then(|| emit!(.without_span()));
    let Objectives { availability, latency } = &rpc.objectives;
    let available = availability.as_ref().map(|ratio| emit!(.availability(#ratio)));
    let fast = latency.as_ref().map(|Latency { nanos, ratio, of_streams }| {
        let setter = if *of_streams { emit!(latency_of_any_kind) } else { emit!(latency) };
        emit!(.#setter(#nanos, #ratio))
    });
    emit! {
        #(#cfgs)* #allow
        static #descriptor: __grpc::Method =
            __grpc::method(__SERVICE, #name, #client_streams, #server_streams)
                #until_return #available #fast #without_span .build();
    }
}

fn stream_type(item: &ImplItemType, is_free: bool) -> TokenStream {
    let mut item = item.clone();
    let ty = item.ty;
    let (first, last) = tokens::ends(&ty.to_token_stream());
    let (open, close) = if is_free {
        let is_boxed = emit!(__grpc::DeclaredStream::<#ty>::__GRPC_IS_BOXED);
        (
            quote_spanned!(first=> <),
            quote_spanned!(last=> as __grpc::StreamType<{ #is_boxed }>>::InImpl),
        )
    } else {
        (quote_spanned!(first=> __grpc::ResponseStream<), quote_spanned!(last=> >))
    };
    item.ty = syn::Type::Verbatim(emit!(#open #ty #close));
    emit!(#item)
}

/// Submits a type inside the impl, whose path contains the trait's real name.
fn place_in_trait(Plan { implementation, .. }: &Plan) -> TokenStream {
    emit!(__grpc::named_after_trait!(__SERVICE, #implementation);)
}

fn method(plan: &Plan, rpc: &Rpc, first: Option<&TokenStream>) -> TokenStream {
    let Rpc { attrs, vis, sig, response, rebind, form, .. } = rpc;
    let started = started(plan, rpc);
    let (last, body) = match form {
        Form::Later { body, future, returned } => {
            let args = later::args(*response, &started, future, returned.as_ref());
            (Some(emit!(#[__grpc::instrument_method_last(#args)])), body.stream())
        }
        Form::Now(form) => {
            let measured =
                Measured { started, response: *response, rebind, method: sig.ident.span() };
            (None, measured.body(form))
        }
    };
    let body = tokens::braces(rpc.braces, emit!(#first #body));
    emit!(#(#attrs)* #last #vis #sig #body)
}

fn started(plan: &Plan, rpc: &Rpc) -> TokenStream {
    let Rpc { sig, descriptor, request, argument, .. } = rpc;
    match &plan.metrics {
        None => emit!(__grpc::rpc::<#argument>(&#descriptor, &#request)),
        Some(metrics) => {
            let metrics = tokens::with_self_of(sig, metrics.to_token_stream());
            let and = quote_spanned!(tokens::ends(&metrics).0=> &);
            emit!(__grpc::rpc_in::<#argument>(#and #metrics, &#descriptor, &#request))
        }
    }
}
